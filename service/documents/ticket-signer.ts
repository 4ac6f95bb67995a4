import { type Static, type TSchema, Type } from '@sinclair/typebox'
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

/**
 * @param keys each at least 32 bytes: the first signs, all verify
 * @param now the clock for expiry; default: the system's
 */
export function createTicketSigner(keys: Keys, now?: () => Date): TicketSigner {
  const sealer = createSealer(keys, { type: 'upload-ticket+jwt', claim: 'upload', schema: UploadClaims, now })
  return {
    seal: sealer.seal,
    async open(ticket) {
      const claims = await sealer.open(ticket)
      if (claims === 'expired') throw expired()
      if (claims === 'invalid') throw ticketInvalid()
      return claims
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

/** Claims of one kind in compact JWS (RFC 7515), signed with a key that all replicas know. */
export interface Sealer<Claims> {
  /** Returns the claims as a text that is good until `expiresAt`. */
  seal(claims: Claims, expiresAt: Date): Promise<string>
  /** Returns the claims of a text that was sealed here and is still good, and otherwise what is wrong with it. */
  open(text: string): Promise<Claims | 'expired' | 'invalid'>
}

export interface SealerOptions<Schema extends TSchema> {
  /** `typ`: prevents a text from being accepted as another one that the same key has signed (RFC 8725 section 3.11). */
  type: string
  /** Name of the claim that holds the others. */
  claim: string
  schema: Schema
  /** The clock for expiry; default: the system's. */
  now?: (() => Date) | undefined
}

const algorithm = 'HS256'

/** Returns a sealer. @param keys each at least 32 bytes: the first signs, all verify */
export function createSealer<Schema extends TSchema>(
  [signingKey, ...otherKeys]: Keys,
  { type, claim, schema, now = () => new Date() }: SealerOptions<Schema>,
): Sealer<Static<Schema>> {
  /** @throws an error of jose; for a text that none of the keys has signed, that of the last one */
  async function verify(text: string, key: Uint8Array, others: readonly Uint8Array[]): Promise<JWTPayload> {
    try {
      const expected = { algorithms: [algorithm], typ: type, currentDate: now(), requiredClaims: ['exp'] }
      return (await jwtVerify(text, key, expected)).payload
    } catch (error) {
      const [next, ...rest] = others
      if (next && error instanceof errors.JWSSignatureVerificationFailed) return verify(text, next, rest)
      throw error
    }
  }

  return {
    seal(claims, expiresAt) {
      return new SignJWT({ [claim]: claims })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setExpirationTime(expiresAt)
        .sign(signingKey)
    },

    async open(text) {
      try {
        const claims = (await verify(text, signingKey, otherKeys))[claim]
        return Value.Check(schema, claims) ? claims : 'invalid'
      } catch (error) {
        if (error instanceof errors.JWTExpired) return 'expired'
        if (error instanceof errors.JOSEError) return 'invalid'
        throw error
      }
    },
  }
}
