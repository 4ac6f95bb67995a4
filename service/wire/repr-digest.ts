/** `Repr-Digest` (RFC 9530 section 3): a dictionary of algorithm to byte sequence (RFC 9651 sections 3.2, 3.3.5). */
import type { Digest } from './names.ts'

/** One member: key, `=`, and the value as a byte sequence between colons. */
const memberForm = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/
const sha256Bytes = 32

/**
 * Reads the SHA-256 that a `Repr-Digest` states.
 *
 * @returns the digest; or `invalid`, a sentence that says why the header cannot be used: it is malformed, or
 *   it has no `sha-256`.
 */
export function parseReprDigest(header: string): { digest: Digest } | { invalid: string } {
  let digest: Digest | undefined
  for (const member of header.split(',')) {
    const [, algorithm, encoded = ''] = memberForm.exec(member.trim()) ?? []
    if (algorithm === undefined) return { invalid: 'It is not a dictionary of algorithm to :base64:.' }
    // RFC 9651 section 4.2.2: if a key comes twice, the last one counts.
    if (algorithm !== 'sha-256') continue
    digest = digestFrom(encoded)
    if (digest === undefined) return { invalid: 'Its sha-256 is not the base64 of 32 bytes.' }
  }
  if (digest === undefined)
    return { invalid: 'It has no sha-256 member, the only algorithm that is checked here.' }
  return { digest }
}

/** Returns the value of the header, `sha-256=:<base64>:`. */
export function formatReprDigest(digest: Digest): string {
  let bytes = ''
  for (let at = 'sha256:'.length; at < digest.length; at += 2)
    bytes += String.fromCharCode(Number.parseInt(digest.slice(at, at + 2), 16))
  return `sha-256=:${btoa(bytes)}:`
}

/** Returns `undefined` for base64 of another length, and for base64 that is not the canonical one. */
function digestFrom(base64: string): Digest | undefined {
  if (base64.length !== 44 || !base64.endsWith('=')) return undefined
  const bytes = atob(base64)
  if (bytes.length !== sha256Bytes || btoa(bytes) !== base64) return undefined
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'))
  return `sha256:${hex.join('')}`
}
