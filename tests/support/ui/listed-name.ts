import type { Document, ListedName } from '../../../service/wire/answers.ts'

/** Returns a document as a listing shows it, with a latest version of one byte; `rest` says what else that is. */
export function listedName(name: string, rest: Partial<Document> = {}): ListedName & { latest: Document } {
  const document = { tenant: 'acme', type: 'definitions', name }
  const latest: Document = {
    ...document,
    ...{ digest: `sha256:${'1'.repeat(64)}`, size: 1, contentType: 'application/json', tags: ['latest'] },
    ...{ createdAt: '2026-11-25T10:00:00Z', createdBy: 'alice' },
    ...rest,
  }
  return { ...document, latest }
}
