import { hasForm } from '../routes.ts'

/** Whether a file's name can be a document's. */
export function isDocumentName(name: string): boolean {
  return hasForm('name', name)
}

/** The nearest name that can be a document's, such as `report-1.pdf` for `réport (1).pdf`; `null` without one. */
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
