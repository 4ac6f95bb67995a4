/**
 * `bun tests/tools/checks/wording.ts [path…]` lists words that do not belong into plain technical English, in all
 * files that people read; with `--titles` it lists titles of tests that do not stand alone in a log.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { SourceFile } from './source-imports.ts'
import { lineOf, listedFiles, sourcePieces } from './source-text.ts'

/** A word to avoid, in every spelling, and what to write instead. */
interface AvoidedWord {
  form: RegExp
  instead: string
  /** It is also a keyword or an everyday word of code: only comments, strings and prose are searched. Default: all. */
  onlyProse?: true
}

/** Words of the language that the field does not use, and identifiers that were coined where a term exists. */
const avoidedWords: readonly AvoidedWord[] = [
  { form: /\bbesides?\b/gi, instead: 'next to, as well as' },
  { form: /\banew\b/gi, instead: 'again' },
  { form: /\b[Ff]or ever\b|[fF]orEver/g, instead: 'indefinitely' },
  { form: /\bwho(?:so)?ever\b/gi, instead: 'the caller, the operator, anyone who' },
  { form: /somebody|nobody(?!:)|\beverybody\b/gi, instead: 'the caller, someone, no one, everyone' },
  { form: /foretold|\bforetell/gi, instead: 'expected, computed in advance' },
  { form: /\bmend(?:s|ed|ing)?\b/gi, instead: 'repair, fix' },
  { form: /mischief/gi, instead: 'fault injection' },
  { form: /strangers?\b/gi, instead: 'foreign objects' },
  { form: /doomed/gi, instead: 'expired' },
  { form: /\b(?:is|are|was|were|be|been|being) told\b(?! apart)/gi, instead: 'receives, is configured with' },
  { form: /\bbut for\b/gi, instead: 'except' },
  { form: /\b(?:go|goes|went|gone|going) on\b/gi, instead: 'continue' },
  {
    form: /\bpassing\b(?! (?:here|the|an?|it|them|on|through|by|tests?|checks?)\b| [{\d])|is\w*Passing\b/g,
    instead: 'transient',
  },
  { form: /silence of (?:a|the) store|storeSilence/gi, instead: 'store stall' },
  {
    form: /launchInVain|\bTerritory\b|\bJourney\b|\bhindrance|\bgoOn\b|\breadOn\b|\bgoThrough\b|\bFate\b/g,
    instead: "the field's term",
  },
  {
    form: /(?<!\b(?:(?:any|every|some|no)(?:thing|one|where|body)|no one|all|what(?:ever)?|who|whose|where)[- ])\belse\b/gi,
    instead: 'otherwise',
    onlyProse: true,
  },
]

/** Names the words to avoid, so it cannot do without them. */
const isExempt = (path: string) =>
  /^tests\/(?:unit\/tests\/)?tools\/checks\/wording(?:\.test)?\.ts$/.test(path)

/** Returns one line per word to avoid in the file, as `path:line: "word" → what to write`. */
export function avoidedWordsIn({ path, text }: SourceFile): string[] {
  if (isExempt(path)) return []
  let prose: string | undefined
  return avoidedWords.flatMap(({ form, instead, onlyProse }) => {
    if (onlyProse) prose ??= proseOf({ path, text })
    return [...(onlyProse ? (prose ?? '') : text).matchAll(form)].map(
      ({ index, 0: word }) => `${path}:${lineOf(text, index)}: "${word}" → ${instead}`,
    )
  })
}

/** Returns a text of the same length and lines in which everything but prose is blank. */
function proseOf({ path, text }: SourceFile): string {
  const blank = (code: string) => code.replace(/[^\n]/g, ' ')
  if (path.endsWith('.md')) return text.replace(/^ *```[\s\S]*?^ *```/gm, blank)
  if (!/\.tsx?$/.test(path)) return text.replace(/^([^#\n]*)/gm, blank)
  // The text of JSX is prose, and there the keyword stands behind a brace or at the beginning of a line.
  const ofCode = (code: string) =>
    path.endsWith('.tsx') ? code.replace(/(?:\}|^) *else\b/gm, blank) : blank(code)
  let prose = ''
  for (const { start, end } of sourcePieces(text)) {
    prose += ofCode(text.slice(prose.length, start)) + text.slice(start, end)
  }
  return prose + ofCode(text.slice(prose.length))
}

/** Begins of titles that are a piece of a sentence whose other half stands in the `describe`. */
const fragment =
  /^(?:of|in|on|at|by|from|to|with|without|for|as|into|over|under|through|until|after|before|between|where|when|while|if|that|which|who|whose|and|or|but|also|only|even|than|because|since|about|against|across|behind|out|up)\b/

const title = /\b(?:it|test)(?:\.\w+(?:\([^)\n]*\))?)*\(\s*$/

/** Returns one line per title of a test that begins like a piece of a sentence, as `path:line: title`. */
export function fragmentTitles({ path, text }: SourceFile): string[] {
  return sourcePieces(text)
    .filter(({ kind, start }) => kind === 'string' && title.test(text.slice(Math.max(0, start - 120), start)))
    .map(({ start, end }) => ({ start, words: text.slice(start + 1, end - 1) }))
    .filter(({ words }) => fragment.test(words))
    .map(({ start, words }) => `${path}:${lineOf(text, start)}: ${words}`)
}

/** Tells whether people read the file: sources, Markdown and configuration, not what programs write or measure. */
export function isWritten(path: string): boolean {
  return /\.(?:tsx?|md|ya?ml|sh|json|html|css|cfg|service)$|(?:^|\/)Dockerfile|^\.ci\//.test(path)
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { titles: { type: 'boolean', default: false } },
  })
  const root = resolve(import.meta.dir, '../../..')
  const wanted = values.titles ? (path: string) => /\.test\.tsx?$/.test(path) : isWritten
  const paths = (await listedFiles(root, positionals)).filter(wanted)
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await Bun.file(`${root}/${path}`).text() })),
  )
  const found = files.flatMap(values.titles ? fragmentTitles : avoidedWordsIn)
  for (const line of found) console.log(line)
  console.log(`${found.length} found in ${files.length} files`)
}
