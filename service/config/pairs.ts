/**
 * `name=value,name=value`, the form of lists in `OTEL_*` variables: that of W3C Baggage, without properties
 * (https://www.w3.org/TR/baggage/#header-content).
 */

/** RFC 9110 section 5.6.2: also what a header may be called. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** The pairs in `text`, which is good, values percent-decoded; of a name that comes twice, the last. */
export function pairsIn(text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  return Object.fromEntries(pairsOf(text).map(([name, value]) => [name, decodeURIComponent(value)]))
}

/** Why `text` is no such list. Never quotes it: it may be secret. */
export function pairsProblem(text: string): string | undefined {
  const isGood = pairsOf(text).every(([name, value]) => nameForm.test(name) && isValue(value))
  return isGood ? undefined : 'must be name=value pairs with commas between them, percent-encoded'
}

function pairsOf(text: string): [name: string, value: string][] {
  return text.split(',').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, Math.max(at, 0)).trim(), pair.slice(at + 1).trim()]
  })
}

/** Decodes to visible characters and spaces, so that it may stand in a header. */
function isValue(encoded: string): boolean {
  try {
    return /^[\x20-\x7e]+$/.test(decodeURIComponent(encoded))
  } catch {
    return false
  }
}
