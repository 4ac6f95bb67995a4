import { secretsInText } from './secret-search.ts'
import type { SourceFile } from './source-imports.ts'

/** Things in a file that look like real secrets, with their lines. Credentials of tests are made at run time. */
export function committedSecrets({ path, text }: SourceFile): string[] {
  return secretsInText(text).map(({ form, lineNumber }) => `${path}, line ${lineNumber}: looks like ${form}`)
}
