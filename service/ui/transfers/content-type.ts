/** Types of files that browsers give none, by the end of their name. */
const byEnding: Readonly<Record<string, string>> = {
  yaml: 'application/yaml',
  yml: 'application/yaml',
  toml: 'application/toml',
  md: 'text/markdown',
  log: 'text/plain',
  ini: 'text/plain',
  conf: 'text/plain',
  env: 'text/plain',
  tf: 'text/plain',
  jsonl: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  tgz: 'application/gzip',
  gz: 'application/gzip',
  zst: 'application/zstd',
  tar: 'application/x-tar',
}

/** The media type to store a file with: the browser's own word, else what its name says. */
export function contentTypeOf({ name, type }: { name: string; type: string }): string {
  if (type !== '') return type
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  return byEnding[ending] ?? 'application/octet-stream'
}
