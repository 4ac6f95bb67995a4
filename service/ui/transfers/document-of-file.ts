import { hasForm } from '../routes.ts'

/** Returns whether the name of a file can be that of a document. */
export function isDocumentName(name: string): boolean {
  return hasForm('name', name)
}

/** Returns the nearest name that a document can have, such as `report-1.pdf` for `réport (1).pdf`; `null` without one. */
export function nearestDocumentName(name: string): string | null {
  const near = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/-+(?=\.|$)/g, '')
    .replace(/^[._-]+/, '')
  const ending = /\.[A-Za-z0-9]{1,16}$/.exec(near)?.[0] ?? ''
  const short = near.length <= 128 ? near : near.slice(0, 128 - ending.length) + ending
  return isDocumentName(short) ? short : null
}

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

/** Returns the media type to store a file with: the one the browser states, otherwise by the name's ending. */
export function contentTypeOf({ name, type }: { name: string; type: string }): string {
  if (type !== '') return type
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  return byEnding[ending] ?? 'application/octet-stream'
}
