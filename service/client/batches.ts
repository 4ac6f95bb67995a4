import { jsonMembers, type Members } from './answers.ts'
import type { DownloadUrlOptions } from './direct-download.ts'
import { type CallIds, type ProblemError, ProtocolError } from './errors.ts'
import { itemProblem } from './problem.ts'
import { checked, type DocumentName } from './references.ts'
import { signedUrl } from './ticket.ts'
import type { Send } from './transport.ts'

/** One version of the client's tenant. */
export type NamedVersion = DocumentName & { digest: string }

/** What became of one version among others: what was asked for, or the error that a call about it alone would throw. */
export type Outcome<Result = unknown> = NamedVersion & ((Result & { error: null }) | { error: ProblemError })

/** See `DocumentsClient.have`. */
export function have(
  send: Send,
  items: readonly NamedVersion[],
  signal: AbortSignal | undefined,
): Promise<(NamedVersion & { present: boolean })[]> {
  const call = { path: '/have', items, rows: 'documents', signal }
  return ask(send, call, (item, members) => ({ ...item, present: members.flag('present') }))
}

/** See `DocumentsClient.downloadUrls`. */
export function downloadUrls(
  send: Send,
  items: readonly NamedVersion[],
  { expiresInSeconds, signal }: DownloadUrlOptions,
): Promise<Outcome<{ url: string; expiresAt: string }>[]> {
  const call = { path: '/downloads', items, rows: 'downloads', options: { expiresInSeconds }, signal }
  return ask(send, call, (item, members, ids) => {
    const problem = members.membersOrNull('problem')
    if (problem) return { ...item, error: itemProblem(problem, ids) }
    const url = signedUrl(members.text('url'), ids)
    return { ...item, url, expiresAt: members.text('expiresAt'), error: null }
  })
}

/** See `DocumentsClient.deleteMany`. */
export function deleteMany(
  send: Send,
  items: readonly NamedVersion[],
  signal: AbortSignal | undefined,
): Promise<Outcome[]> {
  const call = { path: '/delete', items, rows: 'results', signal }
  return ask(send, call, (item, members, ids) => {
    const problem = members.membersOrNull('problem')
    if (problem) return { ...item, error: itemProblem(problem, ids) }
    if (members.count('status') !== 204)
      throw new ProtocolError(
        'The answer breaks the contract: a version is neither gone nor still there.',
        ids,
      )
    return { ...item, error: null }
  })
}

/** Returns the versions as a body names them. @throws {ArgumentError} */
export function namedVersions(items: readonly NamedVersion[]): NamedVersion[] {
  return items.map(({ type, name, digest }) => ({
    type: checked('type', type),
    name: checked('name', name),
    digest: checked('digest', digest),
  }))
}

/** A call about many versions. */
interface BatchCall {
  path: string
  items: readonly NamedVersion[]
  /** Member of the answer that has a row for each of them. */
  rows: string
  /** Further members of the request. */
  options?: Readonly<Record<string, unknown>>
  signal: AbortSignal | undefined
}

/** Reads each row as what is said about the item in its place. @throws {ProtocolError} if the rows are not those of the items */
async function ask<Row>(
  send: Send,
  { path, items, rows, options, signal }: BatchCall,
  read: (item: NamedVersion, row: Members, ids: CallIds) => Row,
): Promise<Row[]> {
  const named = namedVersions(items)
  const answer = await send({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ documents: named, ...options }),
    signal,
  })
  const answered = (await jsonMembers(answer)).list(rows)
  const isAbout = (row: Members, item?: NamedVersion) =>
    row.text('type') === item?.type && row.text('name') === item.name && row.text('digest') === item.digest
  if (answered.length !== named.length || !answered.every((row, place) => isAbout(row, named[place])))
    throw new ProtocolError('The answer breaks the contract: it is not about what was asked.', answer.ids)
  return answered.map((row, place) => read(named[place] as NamedVersion, row, answer.ids))
}
