import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { type Digest, digestPattern } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import type { Keys } from './listing/cursor.ts'

/** Everything that a completion must know of its upload: the service keeps nothing in between. */
export const UploadClaims = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
  size: Type.Integer({ minimum: 0 }),
  contentType: Type.String(),
  stagingKey: Type.String(),
  /** Subject of the token that asked for the ticket; the only one that may complete the upload. */
  subject: Type.String(),
  /** Milliseconds since the epoch: orders the moves of `latest`. */
  admittedAtMs: Type.Integer(),
})
export type UploadClaims = Static<typeof UploadClaims>

/** Makes and reads upload tickets: compact JWS (RFC 7515), signed with a key that all replicas know. */
export interface TicketSigner {
  /** Returns a ticket that expires at `completeBefore`. */
  seal(claims: UploadClaims, completeBefore: Date): Promise<string>
  /** Returns the claims of a ticket. @throws {DocumentError} `ticket_invalid`, `upload_expired` */
  open(ticket: string): Promise<UploadClaims>
}

const algorithm = 'HS256'
/** Prevents a ticket from being accepted as any other token signed with the same key (RFC 8725 section 3.11). */
const type = 'upload-ticket+jwt'

/**
 * @param keys each at least 32 bytes: the first signs, all verify
 * @param now the clock for expiry; default: the system's
 */
export function createTicketSigner(
  [signingKey, ...otherKeys]: Keys,
  now: () => Date = () => new Date(),
): TicketSigner {
  /** @throws an error of jose; for a ticket that none of the keys has signed, that of the last one */
  async function verify(ticket: string, key: Uint8Array, others: readonly Uint8Array[]): Promise<JWTPayload> {
    try {
      const expected = { algorithms: [algorithm], typ: type, currentDate: now(), requiredClaims: ['exp'] }
      return (await jwtVerify(ticket, key, expected)).payload
    } catch (error) {
      const [next, ...rest] = others
      if (next && error instanceof errors.JWSSignatureVerificationFailed) return verify(ticket, next, rest)
      throw error
    }
  }

  return {
    seal(claims, completeBefore) {
      return new SignJWT({ upload: claims })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setExpirationTime(completeBefore)
        .sign(signingKey)
    },

    async open(ticket) {
      try {
        const { upload } = await verify(ticket, signingKey, otherKeys)
        if (Value.Check(UploadClaims, upload)) return upload
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw expired()
        if (!(error instanceof errors.JOSEError)) throw error
      }
      throw ticketInvalid()
    },
  }
}

/** `ticket_invalid`: forged, changed, or given out for another upload. */
export function ticketInvalid(): DocumentError {
  return new DocumentError('ticket_invalid', 'This ticket was not issued for this upload. Ask for a new one.')
}

function expired(): DocumentError {
  return new DocumentError('upload_expired', 'The ticket has expired. Ask for a new one.')
}
