import { type Digest, isDigest } from '../documents/document-ref.ts'

/** RFC 9651 section 3.3.5: a byte sequence; 32 bytes are 43 digits of base64 and one `=`. */
const sha256Member = /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?=$|[,;])/

/** `Repr-Digest: sha-256=:<base64>:` (RFC 9530 section 3). */
export function formatReprDigest(digest: Digest): string {
  const bytes = digest.slice('sha256:'.length).match(/../g) ?? []
  return `sha-256=:${btoa(bytes.map((hex) => String.fromCharCode(Number.parseInt(hex, 16))).join(''))}:`
}

/** The `sha-256` member of a `Repr-Digest`, or `null` if it is absent or malformed. */
export function parseReprDigest(header: string | null): Digest | null {
  const base64 = sha256Member.exec(header ?? '')?.[1]
  if (base64 === undefined) return null
  const hex = Array.from(atob(base64), (character) => character.charCodeAt(0).toString(16).padStart(2, '0'))
  return `sha256:${hex.join('')}`
}

/** The digest in a version's `ETag` (RFC 9110 section 8.8.3), also where a proxy made it weak. */
export function parseVersionEtag(header: string | null): Digest | null {
  const opaque = etagOf(header)
  return opaque !== null && isDigest(opaque) ? opaque : null
}

/** The opaque part of an `ETag` without its quotes, or `null` if it is absent or malformed. */
export function etagOf(header: string | null): string | null {
  return /^(?:W\/)?"([^"]*)"$/.exec(header ?? '')?.[1] ?? null
}
