import type { TagChanges } from '../wire/answers.ts'
import { jsonMembers } from './answers.ts'
import { type DocumentName, documentPath } from './references.ts'
import type { Send } from './transport.ts'

export interface HistoryOptions {
  /** Only changes of this tag. */
  tag?: string | undefined
  /** Changes at most, 1–500. The service has a default. */
  limit?: number | undefined
  /** Only changes before this time (RFC 3339, UTC): `since` of an answer continues it. */
  before?: string | undefined
  signal?: AbortSignal | undefined
}

/** See `DocumentsClient.history`. */
export async function history(
  send: Send,
  ref: DocumentName,
  { tag, limit, before, signal }: HistoryOptions,
): Promise<TagChanges> {
  const path = `${documentPath(ref)}/history`
  const members = await jsonMembers(
    await send({ method: 'GET', path, query: { tag, limit, before }, signal }),
  )
  const changes = members.list('changes').map((change) => ({
    tag: change.text('tag'),
    action: change.text('action'),
    at: change.text('at'),
    by: change.text('by'),
    digest: change.textOrNull('digest'),
    previousDigest: change.textOrNull('previousDigest'),
    traceId: change.text('traceId'),
  }))
  return { changes, since: members.text('since') }
}
