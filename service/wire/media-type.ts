/** Media types in `Content-Type` (RFC 9110 section 8.3.1): type, subtype, parameters. */

const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t\\x20-\\x7e])*"'
const form = new RegExp(`^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|${quoted}))*[ \\t]*;?$`)
const charsMax = 255

/** The media type of bytes that come without one (RFC 9110 section 8.3). */
export const unknownMediaType = 'application/octet-stream'

/** Returns whether a text is a media type that a document can have. */
export function isMediaType(text: string): boolean {
  return text.length <= charsMax && form.test(text)
}
