/**
 * `Repr-Digest` and `Content-Digest` (RFC 9530 sections 2 and 3): dictionaries of algorithm to byte sequence, which are
 * structured fields (RFC 9651 sections 3.2, 3.3.5).
 */
import { type Dictionary, parseDictionary } from 'structured-headers'
import type { Digest } from './names.ts'

const sha256Bytes = 32

/**
 * Reads the SHA-256 that a digest field states. Parameters of it and other members count for nothing.
 *
 * @returns the digest; or `invalid`, a sentence that says why the header cannot be used: it is malformed, or
 *   it has no `sha-256`.
 */
export function parseDigestField(header: string): { digest: Digest } | { invalid: string } {
  const members = dictionaryOf(header)
  if (members === null) return { invalid: 'It is not a dictionary of algorithm to :base64:.' }
  const member = members.get('sha-256')
  if (member === undefined)
    return { invalid: 'It has no sha-256 member, the only algorithm that is checked here.' }
  const [value] = member
  if (!(value instanceof ArrayBuffer) || value.byteLength !== sha256Bytes)
    return { invalid: 'Its sha-256 is not the base64 of 32 bytes between colons.' }
  const hex = Array.from(new Uint8Array(value), (byte) => byte.toString(16).padStart(2, '0'))
  return { digest: `sha256:${hex.join('')}` }
}

/** Returns the value of a digest field, `sha-256=:<base64>:`. */
export function formatDigestField(digest: Digest): string {
  let bytes = ''
  for (let at = 'sha256:'.length; at < digest.length; at += 2)
    bytes += String.fromCharCode(Number.parseInt(digest.slice(at, at + 2), 16))
  return `sha-256=:${btoa(bytes)}:`
}

function dictionaryOf(header: string): Dictionary | null {
  try {
    return parseDictionary(header)
  } catch {
    return null
  }
}
