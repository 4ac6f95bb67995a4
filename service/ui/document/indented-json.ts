/** A string, a bracket, a separator, or whatever else stands between white space (RFC 8259 section 2). */
const tokenForm = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/**
 * JSON with a line for each value, indented by its depth. Only white space is changed: what `JSON.parse` reads has
 * lost digits of large numbers and all but the last of equal names, and would not be what is stored.
 *
 * @param text that `JSON.parse` accepts
 */
export function indentedJson(text: string): string {
  let indented = ''
  let depth = 0
  let before = ''
  for (const [token] of text.matchAll(tokenForm)) {
    const closes = token === '}' || token === ']'
    if (closes) depth--
    const opened = before === '{' || before === '['
    if (before === ',' || opened !== closes) indented += line(depth)
    indented += token === ':' ? ': ' : token
    if (token === '{' || token === '[') depth++
    before = token
  }
  return indented
}

function line(depth: number): string {
  return `\n${'  '.repeat(depth)}`
}
