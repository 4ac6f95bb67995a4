/**
 * `name=value,name=value`, the form of lists in `OTEL_*` variables: that of W3C Baggage, without properties
 * (https://www.w3.org/TR/baggage/#header-content).
 */

/** RFC 9110 section 5.6.2: also what a header may be called. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Returns the pairs in a text that is right, with values percent-decoded; of a repeated name, the last one. */
export function pairsIn(text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  return Object.fromEntries(pairsOf(text).map(([name, value]) => [name, decodeURIComponent(value)]))
}

/** Returns why `text` is not such a list. Never quotes it: it may be secret. */
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

/** Tells whether it decodes to visible characters and spaces, which a header may have. */
function isValue(encoded: string): boolean {
  try {
    return /^[\x20-\x7e]+$/.test(decodeURIComponent(encoded))
  } catch {
    return false
  }
}
