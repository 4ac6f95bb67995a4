import type { Tag } from '../wire/answers.ts'
import { parseEntityTag } from '../wire/entity-tag.ts'
import { jsonMembers, listedTagFrom, tagFrom } from './answers.ts'
import { ProtocolError } from './errors.ts'
import { checked, type DocumentName, documentPath, tagPath } from './references.ts'
import type { Answer, Send } from './transport.ts'

export interface TagOptions {
  /** ETag that `getTag` or `putTag` gave: move the tag only if it has not moved since (RFC 9110 section 13.1.1). */
  ifMatch?: string | undefined
  /** Make a new tag, and move none that is there. */
  ifAbsent?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** See `DocumentsClient.tags`. */
export async function tagsOf(send: Send, ref: DocumentName, signal: AbortSignal | undefined): Promise<Tag[]> {
  const answer = await send({ method: 'GET', path: `${documentPath(ref)}/tags`, signal })
  return (await jsonMembers(answer)).list('tags').map(listedTagFrom)
}

/** See `DocumentsClient.getTag`. */
export async function getTag(
  send: Send,
  ref: DocumentName,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<Tag> {
  return tagOf(await send({ method: 'GET', path: tagPath(ref, tag), signal }))
}

/** See `DocumentsClient.putTag`. */
export async function putTag(
  send: Send,
  ref: DocumentName,
  { tag, digest }: { tag: string; digest: string },
  options: TagOptions,
): Promise<{ tag: Tag; created: boolean }> {
  const answer = await send({
    method: 'PUT',
    path: tagPath(ref, tag),
    headers: { 'content-type': 'application/json', ...condition(options) },
    body: JSON.stringify({ digest: checked('digest', digest) }),
    signal: options.signal,
  })
  return { tag: await tagOf(answer), created: answer.response.status === 201 }
}

/** See `DocumentsClient.deleteTag`. */
export async function deleteTag(
  send: Send,
  ref: DocumentName,
  tag: string,
  options: Omit<TagOptions, 'ifAbsent'>,
): Promise<void> {
  const path = tagPath(ref, tag)
  const answer = await send({ method: 'DELETE', path, headers: condition(options), signal: options.signal })
  await answer.response.body?.cancel()
}

function condition({ ifMatch, ifAbsent = false }: TagOptions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
    ...(ifAbsent ? { 'if-none-match': '*' } : {}),
  }
}

/** Returns the header of a read that is not to be answered with this ETag. */
export function ifNoneMatch(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { 'if-none-match': `"${etag}"` }
}

/** Reads a tag whose ETag is in the header of the answer. @throws {ProtocolError} without one */
export async function tagOf(answer: Answer): Promise<Tag> {
  const etag = parseEntityTag(answer.response.headers.get('etag'))
  if (etag === null) throw new ProtocolError('The answer has no usable ETag.', answer.ids)
  return tagFrom(await jsonMembers(answer), etag)
}
