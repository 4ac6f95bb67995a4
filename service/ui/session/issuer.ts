/** Tokens as they are held in this tab. */
export interface HeldTokens {
  accessToken: string
  /** By this machine's clock, in milliseconds since the epoch. */
  expiresAtMs: number
}

/** The issuer refused: what it was asked with is used up, revoked or expired (RFC 6749 section 5.2). */
export class IssuerRefusal extends Error {
  override readonly name = 'IssuerRefusal'

  constructor(
    /** `invalid_grant`, `access_denied` and so on. */
    readonly code: string,
  ) {
    super(`The issuer refused (${code}).`)
  }
}

/** The issuer did not answer, or not as an issuer. Another try may help. */
export class IssuerSilence extends Error {
  override readonly name = 'IssuerSilence'
}

/** Where tokens come from. Tokens are kept in this tab's session storage and nowhere else. */
export interface Issuer {
  /** Resolves with whether the issuer has a sign-in page; otherwise people sign in with a link. @throws {IssuerSilence} */
  hasSignInPage(): Promise<boolean>

  /** What this tab holds from before it was loaded. */
  stored(): Promise<HeldTokens | null>

  /** New tokens for those held. @throws {IssuerRefusal | IssuerSilence} */
  refresh(): Promise<HeldTokens>

  /** Leaves this page for the issuer's; resolves when the browser is on its way. @throws {IssuerSilence} */
  signInHere(returnPath: string): Promise<void>

  /** Opens the issuer's page in a window of its own; this page stays. @throws {IssuerRefusal | IssuerSilence} */
  signInInPopup(signal: AbortSignal): Promise<HeldTokens>

  /**
   * At the address that the issuer sends people back to. In a window that `signInInPopup` opened, hands the answer
   * over and resolves with `null`: that window is to close.
   *
   * @throws {IssuerRefusal | IssuerSilence}
   */
  completeSignIn(url: string): Promise<{ tokens: HeldTokens; returnPath: string } | null>

  /** Tokens for the code of a sign-in link, where there is no sign-in page. @throws {IssuerRefusal | IssuerSilence} */
  exchangeCode(code: string): Promise<HeldTokens>

  /** Forgets all tokens of this tab at once, then revokes them and ends the session at the issuer where it can. */
  signOut(): Promise<void>
}
