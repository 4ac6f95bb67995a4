import { type ByteRange, formatContentRange } from '../../service/wire/byte-range.ts'
import type { Digest } from '../../service/wire/names.ts'
import type { Operation as ModelOperation } from '../support/model/history.ts'
import type { ModelVersion } from './document-model.ts'
import {
  type Condition,
  names,
  type Operation,
  type OperationOf,
  type Range,
  type Target,
  tags,
  type UploadCondition,
} from './operations.ts'
import type { HeldTicket, World } from './world.ts'

/** What the caller of one operation sees, without times and ETags of tags; `is` begins with the status. */
export type Answer = { is: string } & Record<string, unknown>

/** A legal answer, and what follows from it in the model. */
export interface Legal {
  answer: Answer
  effect?: () => void
}

const notFound: Legal = { answer: { is: '404 document_not_found' } }
const moved: Legal = { answer: { is: '412 precondition_failed' } }

/** Returns the legal answers of an operation in this world. There are several only where the API leaves it open. */
export function legalAnswers(world: World, operation: Operation): Legal[] {
  switch (operation.do) {
    case 'put':
      return ofPut(world, operation)
    case 'get':
      return ofGet(world, operation)
    case 'head':
      return ofHead(world, operation)
    case 'list':
      return ofList(world, operation)
    case 'list names':
      return ofNames(world, operation)
    case 'list by tag':
      return ofListByTag(world, operation)
    case 'tags':
      return ofTags(world, operation)
    case 'versions':
      return ofVersions(world, operation)
    case 'delete':
      return ofDelete(world, operation)
    case 'delete many':
      return ofDeleteMany(world, operation)
    case 'have':
      return [
        {
          answer: {
            is: '200',
            present: operation.contents.map((content) => has(world, { ...operation, content })),
          },
        },
      ]
    case 'archive':
      return ofArchive(world, operation)
    case 'read tag':
      return ofReadTag(world, operation)
    case 'move tag':
      return ofMoveTag(world, operation)
    case 'remove tag':
      return ofRemoveTag(world, operation)
    case 'ask for a ticket':
      return ofTicket(world, operation)
    case 'complete':
      return ofCompletion(world, operation)
    case 'download':
      return ofDownload(world, operation)
    case 'download many':
      return [
        {
          answer: {
            is: '200',
            rows: operation.contents.map((content) => downloaded(world, { ...operation, content })),
          },
        },
      ]
    case 'retain':
    case 'sweep':
      return [{ answer: { is: 'done' } }]
  }
}

function ofPut(
  world: World,
  { content, digest: declared, contentType, by, condition, ...at }: OperationOf<'put'>,
): Legal[] {
  const digest = digestAt(world, content)
  // Before the body is read.
  if (!meetsLatest(world, world.document(at).tagged('latest'), condition)) return [moved]
  if (declared === 'wrong' && otherDigest(world, content) !== digest)
    return [{ answer: { is: '422 digest_mismatch' } }]
  const size = world.bytes[content]?.length ?? 0
  return [acceptedAs(world, at, { kind: 'upload', digest, facts: { size, contentType, createdBy: by } })]
}

function meetsLatest(world: World, latest: string | undefined, condition: UploadCondition): boolean {
  if (condition === 'none') return true
  return condition === 'new' ? latest === undefined : latest === digestAt(world, condition.latest)
}

/** Returns a digest that the bytes of a content do not have, unless two contents are equal. */
export function otherDigest(world: World, content: number): Digest {
  return digestAt(world, (content + 1) % world.digests.length)
}

/** Returns the answer to an upload in one of its ways: the version as it is afterwards. */
function acceptedAs(world: World, at: Target, upload: ModelOperation & { digest: string }): Legal {
  const document = world.document(at)
  const is = document.version(upload.digest) ? '200' : '201'
  const answer = { is, document: document.after(upload).version(upload.digest) }
  return { answer, effect: () => world.apply(at, upload) }
}

function versionOf(
  world: World,
  { of, ...at }: OperationOf<'get'> | OperationOf<'head'>,
): ModelVersion | undefined {
  const document = world.document(at)
  const digest = 'tag' in of ? document.tagged(of.tag) : digestAt(world, of.content)
  return digest === undefined ? undefined : document.version(digest)
}

function ofGet(world: World, operation: OperationOf<'get'>): Legal[] {
  const version = versionOf(world, operation)
  if (!version) return [notFound]
  const { digest, contentType, size } = version
  if (operation.has && digest === world.digests[0]) return [{ answer: { is: '304', digest } }]
  const bytes = world.bytes[world.digests.indexOf(digest as Digest)] ?? new Uint8Array()
  const whole = { digest, contentType, size }
  if (!operation.range) return [{ answer: { is: '200', ...whole, range: null, body: hashOf(bytes) } }]
  const range = satisfied(byteRange(operation.range), size)
  if (!range) return [{ answer: { is: '416 range_unsatisfiable' } }]
  const body = hashOf(bytes.subarray(range.first, range.last + 1))
  return [{ answer: { is: '206', ...whole, range: formatContentRange(range, size), body } }]
}

/** Returns a range of an operation as the API takes it. */
export function byteRange(range: Range): ByteRange {
  if ('last' in range) return { suffix: range.last }
  const { from } = range
  return 'length' in range ? { first: from, last: from + range.length - 1 } : { first: from }
}

/** RFC 9110 section 14.1.2. */
function satisfied(range: ByteRange, size: number): { first: number; last: number } | null {
  const first = 'suffix' in range ? Math.max(0, size - range.suffix) : range.first
  const last = 'suffix' in range ? size - 1 : Math.min(range.last ?? size - 1, size - 1)
  return first <= last && first < size ? { first, last } : null
}

/** Returns a short text that is the same for the same bytes, so that a failure does not print a document. */
export function hashOf(bytes: Uint8Array): string {
  return `${bytes.length} bytes, ${Bun.hash(bytes).toString(16)}`
}

function ofHead(world: World, operation: OperationOf<'head'>): Legal[] {
  const version = versionOf(world, operation)
  if (!version) return [{ answer: { is: '404' } }]
  const { digest, contentType, size } = version
  return [{ answer: { is: '200', digest, contentType, size } }]
}

function ofList(world: World, { tenant, name, by }: OperationOf<'list'>): Legal[] {
  const listed = names
    .filter((each) => by === 'type' || (by === 'name' ? each === name : each.startsWith(name)))
    .toSorted((a, b) => (`${a}/` < `${b}/` ? -1 : 1))
  const rows = listed.flatMap((each) => {
    const document = world.document({ tenant, name: each })
    return document.digests().map((digest) => ({ name: each, digest, size: document.version(digest)?.size }))
  })
  return [{ answer: { is: '200', rows } }]
}

function ofNames(world: World, { tenant, include }: OperationOf<'list names'>): Legal[] {
  const rows = names.flatMap((name) => {
    const document = world.document({ tenant, name })
    if (document.digests().length === 0) return []
    const latest = document.version(document.tagged('latest') ?? '')
    if (include === 'nothing') return [{ name }]
    return [include === 'latest' ? { name, latest } : { name, tags: tagsOf(world, { tenant, name }) }]
  })
  return [{ answer: { is: '200', rows } }]
}

function ofListByTag(world: World, { tenant, tag }: OperationOf<'list by tag'>): Legal[] {
  const rows = names.flatMap((name) => {
    const digest = world.document({ tenant, name }).tagged(tag)
    return digest === undefined ? [] : [{ name, tag, digest }]
  })
  return [{ answer: { is: '200', rows } }]
}

function ofTags(world: World, at: Target): Legal[] {
  const tags = tagsOf(world, at)
  return tags.length === 0 ? [notFound] : [{ answer: { is: '200', tags } }]
}

/** Returns the tags of a document, by name. */
function tagsOf(world: World, at: Pick<Target, 'tenant' | 'name'>): { tag: string; digest: string }[] {
  const document = world.document(at)
  return tags.toSorted().flatMap((tag) => {
    const digest = document.tagged(tag)
    return digest === undefined ? [] : [{ tag, digest }]
  })
}

function ofVersions(world: World, at: Target): Legal[] {
  const document = world.document(at)
  const documents = document.digests().map((digest) => document.version(digest))
  return documents.length === 0 ? [notFound] : [{ answer: { is: '200', documents } }]
}

function ofDelete(world: World, { content, ...at }: OperationOf<'delete'>): Legal[] {
  const document = world.document(at)
  const digest = digestAt(world, content)
  const version = document.version(digest)
  if (!version) return [notFound]
  const held = version.tags.filter((tag) => tag !== 'latest')
  if (held.length > 0) return [{ answer: { is: '409 version_tagged', tags: held } }]
  return [{ answer: { is: '204' }, effect: () => world.apply(at, { kind: 'delete', digest }) }]
}

/** Each is decided on what the ones before it have left. */
function ofDeleteMany(world: World, { contents, ...at }: OperationOf<'delete many'>): Legal[] {
  const digests = contents.map((content) => digestAt(world, content))
  if (new Set(digests).size < digests.length) return [{ answer: { is: '422 request_invalid' } }]
  let document = world.document(at)
  const gone: Digest[] = []
  const rows = digests.map((digest) => {
    const version = document.version(digest)
    if (!version) return { is: '404 document_not_found' }
    const tags = version.tags.filter((tag) => tag !== 'latest')
    if (tags.length > 0) return { is: '409 version_tagged', tags }
    document = document.after({ kind: 'delete', digest })
    gone.push(digest)
    return { is: '204' }
  })
  const effect = () => {
    for (const digest of gone) world.apply(at, { kind: 'delete', digest })
  }
  return [{ answer: { is: '200', rows }, effect }]
}

function ofArchive(world: World, { contents, ...at }: OperationOf<'archive'>): Legal[] {
  const digests = contents.map((content) => digestAt(world, content))
  if (new Set(digests).size < digests.length) return [{ answer: { is: '422 request_invalid' } }]
  const absent = digests.filter((digest) => world.document(at).version(digest) === undefined)
  if (absent.length > 0) return [{ answer: { is: '404 document_not_found', absent } }]
  return [{ answer: { is: '200', digests } }]
}

function has(
  world: World,
  { content, ...at }: Pick<Target, 'tenant' | 'name'> & { content: number },
): boolean {
  return world.document(at).version(digestAt(world, content)) !== undefined
}

function ofReadTag(world: World, { tag, ...at }: OperationOf<'read tag'>): Legal[] {
  const digest = world.document(at).tagged(tag)
  return digest ? [{ answer: { is: '200', tag, digest } }] : [notFound]
}

function ofMoveTag(world: World, { tag, content, condition, ...at }: OperationOf<'move tag'>): Legal[] {
  const document = world.document(at)
  const digest = digestAt(world, content)
  const current = document.tagged(tag)
  const refusals: Legal[] = []
  if (!document.version(digest)) refusals.push({ answer: { is: '422 version_unknown' } })
  if (!holds(condition, current)) refusals.push(moved)
  if (refusals.length > 0) return refusals
  const answer = { is: current ? '200' : '201', tag, digest }
  return [{ answer, effect: () => world.apply(at, { kind: 'moveTag', tag, digest }) }]
}

function ofRemoveTag(world: World, { tag, condition, ...at }: OperationOf<'remove tag'>): Legal[] {
  const document = world.document(at)
  const current = document.tagged(tag)
  if (tag === 'latest') return [{ answer: { is: '409 tag_protected' } }]
  if (!holds(condition, current)) return [moved]
  if (!current) return [notFound]
  return [{ answer: { is: '204' }, effect: () => world.apply(at, { kind: 'removeTag', tag }) }]
}

function holds(condition: Condition | 'new', current: string | undefined): boolean {
  if (condition === 'none') return true
  if (condition === 'new') return current === undefined
  return condition !== 'stale' && current !== undefined
}

function ofTicket(world: World, { content, sends, ...at }: OperationOf<'ask for a ticket'>): Legal[] {
  const digest = digestAt(world, content)
  if (world.document(at).version(digest)) return [acceptedAs(world, at, { kind: 'ticket', digest })]
  return [{ answer: { is: sends ? '201, sent' : '201' } }]
}

function ofCompletion(world: World, operation: OperationOf<'complete'>): Legal[] {
  const held = ticketOf(world, operation)
  if (!held) return [{ answer: { is: 'no ticket' } }]
  const { at, digest, facts, staged, completed, ticket } = held
  if (!staged && !world.document(at).version(digest))
    return [{ answer: { is: completed ? '409 conflict' : '404 upload_not_found' } }]
  const { answer, effect } = acceptedAs(world, at, { kind: 'complete', ticket: ticket.id, digest, facts })
  const emptyStaging = () => {
    held.staged = false
    held.completed = true
    effect?.()
  }
  return [{ answer, effect: emptyStaging }]
}

/** Returns the ticket that a completion is about, if the sequence was given one. */
export function ticketOf(world: World, { ticket }: { ticket: number }): HeldTicket | undefined {
  const { tickets } = world
  return tickets.length === 0 ? undefined : tickets.at(-1 - (ticket % tickets.length))
}

function ofDownload(world: World, { content, ...at }: OperationOf<'download'>): Legal[] {
  return [{ answer: downloaded(world, { ...at, content }) }]
}

function downloaded(
  world: World,
  { content, ...at }: Pick<Target, 'tenant' | 'name'> & { content: number },
): Answer {
  const version = world.document(at).version(digestAt(world, content))
  if (!version) return notFound.answer
  const bytes = world.bytes[content] ?? new Uint8Array()
  return { is: '201', contentType: version.contentType, body: hashOf(bytes) }
}

/** Returns the digest of a content of the sequence. */
export function digestAt(world: World, content: number): Digest {
  const digest = world.digests[content]
  if (digest === undefined) throw new Error(`the sequence has no content ${content}`)
  return digest
}
