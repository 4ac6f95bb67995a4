import { printable } from '../failure.ts'

const gap = '  '
/** Below this a column is too narrow for words. */
const columnCharsMin = 16

/**
 * A table whose cells wrap at words, so that nothing is cut off.
 *
 * @param columns characters that a line may have; the first column takes what it needs, the others share the rest.
 */
export function textTable(head: string[], rows: string[][], columns: number): string {
  const first = Math.max(...[head, ...rows].map(([cell = '']) => cell.length))
  const others = head.length - 1
  const shared = Math.floor((columns - first) / others) - gap.length
  const widths = [first, ...Array.from({ length: others }, () => Math.max(shared, columnCharsMin))]
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...rows].flatMap((row) => linesOf(row, widths)).join('\n')
}

function linesOf(row: string[], widths: number[]): string[] {
  const cells = row.map((cell, column) => wrapped(printable(cell), widths[column] ?? 0))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => (lines[line] ?? '').padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  )
}

/** Lines of at most `width` characters; only a longer word is longer. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
