import type { Digest } from '../../documents/document-ref.ts'
import { ProblemError } from '../problem.ts'

/** `Repr-Digest` (RFC 9530 section 3): a dictionary of algorithm to byte sequence (RFC 8941 sections 3.2, 3.3.5). */

/** One member: key, `=`, and the value as a byte sequence between colons. */
const memberForm = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/
const sha256Bytes = 32

/**
 * @returns the SHA-256 the client declared, `undefined` without the header.
 * @throws {ProblemError} `digest_invalid` for a malformed header, or one without `sha-256`.
 */
export function parseReprDigest(header: string | null): Digest | undefined {
  if (header === null) return undefined
  let digest: Digest | undefined
  for (const member of header.split(',')) {
    const [, algorithm, encoded = ''] = memberForm.exec(member.trim()) ?? []
    if (algorithm === undefined) throw invalid('It is not a dictionary of algorithm to :base64:.')
    const bytes = Buffer.from(encoded, 'base64')
    // RFC 8941 section 4.2: of a key that comes twice, the last one counts.
    if (algorithm !== 'sha-256') continue
    const canonical = bytes.toString('base64') === encoded
    if (!canonical || bytes.length !== sha256Bytes)
      throw invalid('Its sha-256 is not the base64 of 32 bytes.')
    digest = `sha256:${bytes.toString('hex')}`
  }
  if (digest === undefined)
    throw invalid('It has no sha-256 member, the only algorithm that is checked here.')
  return digest
}

/** `sha-256=:<base64>:` */
export function formatReprDigest(digest: Digest): string {
  return `sha-256=:${Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')}:`
}

function invalid(reason: string): ProblemError {
  return new ProblemError('digest_invalid', `Repr-Digest cannot be used. ${reason}`)
}
