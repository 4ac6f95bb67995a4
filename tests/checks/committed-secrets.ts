import type { SourceFile } from './source-imports.ts'

const forms: [name: string, form: RegExp][] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}/],
  ['a private JWK', /"d"\s*:\s*"[\w-]{40,}"/],
  ['an AWS access key id', /\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}\b/],
  ['a signed token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/],
  ['a token of a code host', /\b(?:gh[pousr]_|github_pat_|glpat-)\w{20,}/],
  [
    'a secret in a setting',
    /(?:secret|password|token)\w*['"]?\s*[:=]\s*['"](?=[^'"]*\d)(?=[^'"]*[a-z])[A-Za-z0-9+/_-]{32,}['"]/i,
  ],
]

/** Things in a file that look like real secrets, with their lines. Credentials of tests are made at run time. */
export function committedSecrets({ path, text }: SourceFile): string[] {
  return forms.flatMap(([name, form]) => {
    const at = form.exec(text)?.index
    return at === undefined
      ? []
      : [`${path}, line ${text.slice(0, at).split('\n').length}: looks like ${name}`]
  })
}
