/** A piece of a TypeScript file that people read: a comment, or the text of a string or of part of a template. */
export interface SourcePiece {
  kind: 'comment' | 'string'
  /** Offset of its first character in the file, delimiters included. */
  start: number
  /** Offset behind its last character. */
  end: number
}

/** A slash after one of these begins a regular expression; after anything else it divides. */
const beforeExpression =
  /(?:^|[=(,:;!&|?{}[\n+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|throw|new))\s*$/
const regularExpression = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y

/**
 * Returns the comments and strings of a TypeScript file, ascending by offset. Of a template it returns the texts
 * between its expressions. An apostrophe in the text of JSX, which has no partner on its line, counts as code.
 */
export function sourcePieces(text: string): SourcePiece[] {
  const pieces: SourcePiece[] = []
  // Depth of braces in each template expression that is open, innermost last.
  const templates: number[] = []
  let at = 0
  const take = (kind: SourcePiece['kind'], end: number) => {
    pieces.push({ kind, start: at, end })
    at = end
  }
  const takeTemplate = () => {
    const end = /(?:\\[\s\S]|(?!\$\{)[^\\`])*(?:`|\$\{|$)/y
    end.lastIndex = at + 1
    const stop = at + 1 + (end.exec(text)?.[0].length ?? text.length)
    if (text.endsWith('${', stop) && stop - 2 > at) templates.push(0)
    take('string', stop)
  }
  const endOf = (form: RegExp): number => {
    form.lastIndex = at
    const match = form.exec(text)
    return match === null ? at + 1 : at + match[0].length
  }
  while (at < text.length) {
    const two = text.slice(at, at + 2)
    const one = text[at] ?? ''
    const depth = templates.at(-1)
    if (two === '//') take('comment', endOf(/[^\n]*/y))
    else if (two === '/*') take('comment', endOf(/\/\*[\s\S]*?\*\//y))
    else if (one === "'" || one === '"') {
      const end = endOf(one === "'" ? /'(?:\\.|[^'\\\n])*'/y : /"(?:\\.|[^"\\\n])*"/y)
      if (end === at + 1) at++
      else take('string', end)
    } else if (one === '`') takeTemplate()
    else if (one === '/' && beforeExpression.test(text.slice(Math.max(0, at - 40), at))) {
      at = endOf(regularExpression)
    } else if (depth !== undefined && one === '{') {
      templates[templates.length - 1] = depth + 1
      at++
    } else if (depth !== undefined && one === '}') {
      if (depth === 0) {
        templates.pop()
        takeTemplate()
      } else {
        templates[templates.length - 1] = depth - 1
        at++
      }
    } else at++
  }
  return pieces
}

/** Returns the line of an offset, counted from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/**
 * Returns the files that git tracks or would add below the given paths (default: all), ascending.
 *
 * @param root the work tree; the paths and the answer are relative to it.
 */
export async function listedFiles(root: string, paths: readonly string[] = []): Promise<string[]> {
  const list = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...paths]
  const listed = await new Response(Bun.spawn(list, { cwd: root, stdout: 'pipe' }).stdout).text()
  const files = [...new Set(listed.split('\0'))].filter((path) => path !== '')
  const present = await Promise.all(files.map((path) => Bun.file(`${root}/${path}`).exists()))
  return files.filter((_, index) => present[index]).sort()
}
