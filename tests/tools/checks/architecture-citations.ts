import type { SourceFile } from './source-imports.ts'

/** `ARCHITECTURE.md, "Key scheme"`; in a comment it may continue on the next line. */
const citation = /ARCHITECTURE\.md,\s*"([^"]*)"/g
/** Everything that names the page and what it wants to say of it, to find other forms of a citation. */
const otherForm = /ARCHITECTURE\.md,\s*(?!")\S+(?:\s\S+)?|\bdesign, sections? \d\S*/g

/** Headings of a Markdown page, without their marks; lines inside of code blocks are none. */
export function headingsOf(markdown: string): Set<string> {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
  return new Set(Array.from(prose.matchAll(/^#{1,6} (.+?)\s*$/gm), ([, heading = '']) => heading))
}

/**
 * Citations of the design page that lead nowhere. There is one form, everywhere: the page's name, a comma, and a
 * heading in double quotes.
 *
 * @param files what is searched: path and text of each.
 * @param page text of `ARCHITECTURE.md`.
 * @returns one line per citation, with its file, that names a heading which is not there or has another form.
 */
export function brokenCitations(files: readonly SourceFile[], page: string): string[] {
  const headings = headingsOf(page)
  return files.flatMap(({ path, text }) => {
    const prose = text.replace(/\n\s*(?:\*|\/\/|#)?[ \t]*/g, ' ')
    const absent = Array.from(prose.matchAll(citation), ([, heading = '']) => heading)
      .filter((heading) => !headings.has(heading))
      .map((heading) => `${path}: ARCHITECTURE.md has no heading "${heading}"`)
    const formless = Array.from(prose.matchAll(otherForm), ([words]) => `${path}: "${words}" is no citation`)
    return [...absent, ...formless]
  })
}
