import type { Document, UploadTicket } from '../wire/answers.ts'
import type { Digest } from '../wire/names.ts'
import { parseRetryAfter } from '../wire/retry-after.ts'
import { documentFrom, jsonMembers, type Members } from './answers.ts'
import { type CallIds, ProtocolError } from './errors.ts'
import { type DocumentName, documentPath } from './references.ts'
import type { Send } from './transport.ts'

/** What a ticket is asked for. */
export interface TicketRequest {
  digest: Digest
  size: number
  contentType: string
}

/** A ticket, and the ids of the call that gave it: the store has none. */
export interface GivenTicket {
  ticket: UploadTicket
  ids: CallIds
}

export interface Completed {
  document: Document
  created: boolean
}

/** `POST …/uploads`. @throws {ProblemError | ConnectionError | ProtocolError} */
export async function askForTicket(
  send: Send,
  ref: DocumentName,
  request: TicketRequest,
  signal: AbortSignal | undefined,
): Promise<GivenTicket | { published: Document }> {
  const answer = await send({ ...post(`${documentPath(ref)}/uploads`, request), signal })
  const members = await jsonMembers(answer)
  if (answer.response.status === 200) return { published: documentFrom(members.object('published')) }
  return { ticket: ticketFrom(members, answer.ids), ids: answer.ids }
}

/**
 * `POST …/uploads/{id}/complete`, once.
 *
 * @returns seconds to wait while the service is still working on it
 * @throws {ProblemError | ConnectionError | ProtocolError}
 */
export async function askToComplete(
  send: Send,
  ref: DocumentName,
  { id, ticket }: UploadTicket,
  signal: AbortSignal | undefined,
): Promise<Completed | { waitSeconds: number }> {
  const answer = await send({ ...post(`${documentPath(ref)}/uploads/${id}/complete`, { ticket }), signal })
  const { status, headers, body } = answer.response
  if (status === 202) {
    await body?.cancel().catch(() => undefined)
    return { waitSeconds: parseRetryAfter(headers.get('retry-after')) ?? 1 }
  }
  return { document: documentFrom(await jsonMembers(answer)), created: status === 201 }
}

function post(path: string, body: object) {
  return {
    method: 'POST' as const,
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

function ticketFrom(members: Members, ids: CallIds): UploadTicket {
  const id = members.text('id')
  // It becomes a segment of the path of a call with the caller's token.
  if (!/^[0-9a-f]{32}$/.test(id))
    throw new ProtocolError('The answer breaks the contract: id is malformed.', ids)
  const common = {
    id,
    ticket: members.text('ticket'),
    url: signedUrl(members.text('url'), ids),
    expiresAt: members.text('expiresAt'),
    completeBefore: members.text('completeBefore'),
  }
  const method = members.text('method')
  if (method === 'POST') return { ...common, method, fields: members.textsByName('fields') }
  if (method === 'PUT') return { ...common, method, headers: members.textsByName('headers') }
  throw new ProtocolError('The answer breaks the contract: method is neither POST nor PUT.', ids)
}

/** The URL itself is never quoted: it is a credential. @throws {ProtocolError} */
export function signedUrl(text: string, ids: CallIds): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return text
  throw new ProtocolError('The answer breaks the contract: url is not an http(s) URL.', ids)
}
