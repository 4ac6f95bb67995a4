export interface Refusal {
  /** RFC 6750 section 3.1. */
  error: 'invalid_token' | 'insufficient_scope'
  /** A sentence of ours, in any characters. */
  description?: string | undefined
  /** The scope that is needed. */
  scope?: string | undefined
}

/**
 * Returns the value of `WWW-Authenticate` (RFC 6750 section 3): how to authenticate, and why that was not enough.
 *
 * @param refusal left out where no credentials were sent: then the challenge says nothing about them.
 */
export function bearerChallenge(refusal?: Refusal): string {
  const parameters = {
    realm: 'documents',
    error: refusal?.error,
    ...described(refusal),
    scope: refusal?.scope,
  }
  const present = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return `Bearer ${present.map(([name, value]) => `${name}="${value}"`).join(', ')}`
}

function described(refusal: Refusal | undefined): { error_description?: string } {
  return refusal?.description === undefined ? {} : { error_description: challengeText(refusal.description) }
}

/**
 * Returns a text in the characters that RFC 6750 section 3 allows in a description: printable ASCII without the
 * double quote and the backslash. A header with any other text cannot be sent, and the answer would be lost with it.
 */
function challengeText(text: string): string {
  return text
    .replaceAll('"', "'")
    .replace(/[\u2010-\u2015]/g, '-')
    .replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
