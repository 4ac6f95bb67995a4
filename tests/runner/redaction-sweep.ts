import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Shorter parts would be found by chance. */
const formLengthMin = 16

/** A secret in something that was printed. The secret itself is not repeated here. */
export interface Leak {
  /** Name of the file with what was printed. */
  file: string
  /** Counted from 1. */
  line: number
  /** Which of the secrets, counted from 1. */
  secret: number
}

/**
 * Searches every file below `folder` for every secret, in the forms in which one gets printed: as it is,
 * percent-encoded, in base64, and for a token also its signature alone.
 *
 * @throws {Error} if there is nothing to search, or nothing to search for: then it would prove nothing.
 */
export async function findLeaks(folder: string, secrets: string[]): Promise<Leak[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const contents = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(file, 'latin1') })),
  )
  if (contents.every(({ text }) => text === ''))
    throw new Error('nothing was printed, so there is nothing to search')
  if (secrets.length === 0) throw new Error('no secret was registered, so there is nothing to search for')
  const leaks: Leak[] = []
  for (const [index, secret] of [...new Set(secrets)].entries()) {
    const forms = formsOf(secret)
    for (const { file, text } of contents) {
      const at = forms.map((form) => text.indexOf(form)).find((position) => position >= 0)
      if (at === undefined) continue
      leaks.push({ file, line: text.slice(0, at).split('\n').length, secret: index + 1 })
    }
  }
  return leaks
}

function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '')
  const signature = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(secret)?.[1] ?? ''
  const forms = [secret, encodeURIComponent(secret), base64, signature]
  return [...new Set(forms)].filter((form) => form.length >= formLengthMin)
}
