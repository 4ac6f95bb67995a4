import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { errors, jwtVerify, SignJWT } from 'jose'
import { type Digest, digestPattern } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'

/** Everything a completion has to know of its upload: the service keeps nothing in between. */
export const UploadClaims = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
  size: Type.Integer({ minimum: 0 }),
  contentType: Type.String(),
  stagingKey: Type.String(),
  /** Subject of the token that asked for it; the only one that may complete it. */
  subject: Type.String(),
  /** Milliseconds since the epoch: orders the moves of `latest`. */
  admittedAtMs: Type.Integer(),
})
export type UploadClaims = Static<typeof UploadClaims>

/** Tickets as compact JWS (RFC 7515), signed with a key that all replicas derive alike. */
export interface UploadTickets {
  seal(claims: UploadClaims, completeBefore: Date): Promise<string>
  /** @throws {DocumentError} `ticket_invalid`, `upload_expired` */
  open(ticket: string): Promise<UploadClaims>
}

const algorithm = 'HS256'
/** Keeps a ticket from being taken for any other token signed with the same key (RFC 8725 section 3.11). */
const type = 'upload-ticket+jwt'

export function createUploadTickets(key: Uint8Array, now: () => Date = () => new Date()): UploadTickets {
  return {
    seal(claims, completeBefore) {
      return new SignJWT({ upload: claims })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setExpirationTime(completeBefore)
        .sign(key)
    },

    async open(ticket) {
      try {
        const { payload } = await jwtVerify(ticket, key, {
          algorithms: [algorithm],
          typ: type,
          currentDate: now(),
          requiredClaims: ['exp'],
        })
        if (Value.Check(UploadClaims, payload.upload)) return payload.upload
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw expired()
        if (!(error instanceof errors.JOSEError)) throw error
      }
      throw ticketInvalid()
    },
  }
}

export function ticketInvalid(): DocumentError {
  return new DocumentError(
    'ticket_invalid',
    'This ticket was not given out for this upload. Ask for a new one.',
  )
}

function expired(): DocumentError {
  return new DocumentError('upload_expired', 'The ticket is too old to be completed. Ask for a new one.')
}
