import { posix } from 'node:path'
import { headingsOf } from './architecture-citations.ts'
import type { SourceFile } from './source-imports.ts'

const link = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g
/** A path below the root in backquotes, such as `service/limits.ts`; not one with a placeholder or a wildcard. */
const rooted = /`((?:service|compose|observability|overlays|tests)\/[\w./-]+|docs\/[\w-]+\.md)`/g
/** A source file in backquotes by the end of its path, such as `limits.ts`. */
const source = /`([\w./-]*[\w-]\.tsx?)`/g

/**
 * Links and paths in Markdown that lead nowhere: relative links, their headings, and in backquotes paths that begin at
 * the root of the repository and names of source files.
 *
 * @param files all files of the repository; pages are those that end in `.md`.
 * @returns one line per link or path that is not there, with its page.
 */
export function brokenPaths(files: readonly SourceFile[]): string[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const folders = new Set([...texts.keys()].flatMap(parentsOf))
  const isThere = (path: string) => texts.has(path) || folders.has(path.replace(/\/$/, ''))
  const isSource = (end: string) =>
    [...texts.keys()].some((path) => `/${path}`.endsWith(posix.join('/', end)))
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => {
      const prose = text.replace(/^\s*```[\s\S]*?^\s*```/gm, '')
      const links = Array.from(prose.replace(/`[^`]*`/g, '').matchAll(link), ([, to = '', anchor]) => {
        const target = to === '' ? path : posix.join(posix.dirname(path), to)
        if (!isThere(target)) return `${path}: the link to ${to} leads nowhere`
        const anchors = Array.from(headingsOf(texts.get(target) ?? ''), anchorOf)
        const broken = anchor !== undefined && target.endsWith('.md') && !anchors.includes(anchor)
        return broken ? `${path}: ${target} has no heading for #${anchor}` : null
      })
      const absent = [
        ...Array.from(prose.matchAll(rooted), ([, to = '']) => (isThere(to) ? null : to)),
        ...Array.from(prose.matchAll(source), ([, to = '']) => (isSource(to) ? null : to)),
      ].filter((to) => to !== null)
      const paths = [...new Set(absent)].map((to) => `${path}: there is no ${to}`)
      return [...links, ...paths].filter((problem) => problem !== null)
    })
}

function parentsOf(path: string): string[] {
  const segments = path.split('/').slice(0, -1)
  return segments.map((_, at) => segments.slice(0, at + 1).join('/'))
}

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
}
