import { type ByteWindow, byteWindows, lineAt, lineFeeds } from './byte-windows.ts'
import { secretBytesMax, secretForms } from './secret-forms.ts'
import type { SourceFile } from './source-imports.ts'

/** Something that looks like a secret. Only `line` repeats it, and must never be printed. */
export interface FoundSecret {
  /** Name of its form, such as `a bearer token`. */
  form: string
  /** Counted from 1. */
  lineNumber: number
  /** The text of that line, as far as it was in memory. */
  line: string
}

/** Yields all that looks like a secret in a stream, which is read once; ascending within a megabyte. */
export async function* secretsIn(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<FoundSecret> {
  for await (const window of byteWindows(stream, secretBytesMax)) yield* secretsInWindow(window)
}

/** Returns all that looks like a secret in a text, ascending. */
export function secretsInText(text: string): FoundSecret[] {
  const bytes = Buffer.from(text)
  return secretsInWindow({ bytes, from: 0, to: bytes.length, linesBefore: 0 })
}

/**
 * Returns all that looks like a secret and begins in this window. Of two forms that begin at the same place the first one
 * counts; a match inside another one, such as a token after `Bearer`, does not count.
 */
export function secretsInWindow({ bytes, from, to, linesBefore }: ByteWindow): FoundSecret[] {
  // Most pieces hold no beginning at all.
  let text: string | undefined
  const found = new Map<number, { form: string; end: number }>()
  for (const { name, beginnings, form, isReal } of secretForms) {
    for (const beginning of beginnings) {
      for (
        let at = bytes.indexOf(beginning, from);
        at >= 0 && at < to;
        at = bytes.indexOf(beginning, at + 1)
      ) {
        if (found.has(at)) continue
        text ??= bytes.toString('latin1')
        form.lastIndex = at
        const match = form.exec(text)
        if (match !== null && (isReal === undefined || isReal(match)))
          found.set(at, { form: name, end: form.lastIndex })
      }
    }
  }
  let end = 0
  return [...found]
    .sort(([one], [other]) => one - other)
    .flatMap(([at, match]) => {
      if (at < end) return []
      end = match.end
      const lineNumber = linesBefore + lineFeeds(bytes, from, at) + 1
      return [{ form: match.form, lineNumber, line: lineAt(bytes, at) }]
    })
}

/** Returns one line per text in a file that looks like a real secret. Credentials of tests are made at run time. */
export function committedSecrets({ path, text }: SourceFile): string[] {
  return secretsInText(text).map(({ form, lineNumber }) => `${path}, line ${lineNumber}: looks like ${form}`)
}
