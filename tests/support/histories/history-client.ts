import { formatEntityTag, parseEntityTag } from '../../../service/wire/entity-tag.ts'
import type { Condition, Facts, LatestCondition, Result } from '../model/history.ts'
import { type Call, type Caller, type Json, jsonOf } from '../service/caller.ts'
import { digestOf, reprDigestOf } from '../service/sample-documents.ts'
import { jsonBody } from '../service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../service/ticket-upload.ts'
import { inChunks } from '../stores/bodies.ts'
import { add, type Content, type DocumentHistory, record } from './document-history.ts'

/** A client that works on one document and writes down what it asks for and is answered. */
export interface HistoryClient {
  /** Uploads through the service: with a digest, with a length only, or in chunks; under a condition, if there is one. */
  upload(content: Content, how: 'declared' | 'whole' | 'chunked', ifLatest?: LatestCondition): Promise<void>
  /** Uploads by ticket; the callers, which may be different replicas, complete it at the same time. */
  uploadByTicket(content: Content, completers: readonly Caller[]): Promise<void>
  remove(digest: string): Promise<void>
  /** @returns the new ETag if the tag was moved. */
  moveTag(tag: string, digest: string, ifMatch?: Condition): Promise<string | undefined>
  removeTag(tag: string): Promise<void>
  /** @returns the tag's ETag if it is there. */
  readTag(tag: string): Promise<string | undefined>
  readByTag(tag: string): Promise<void>
  read(digest: string): Promise<void>
  list(): Promise<void>
}

/** What hangs for longer has failed: far above any fault of a history, and what the service allows for its store. */
const requestSecondsMax = 150

/** Creates a client for one document. @param by subject of the caller's token, which its uploads carry. */
export function historyClient(history: DocumentHistory, caller: Caller, by: string): HistoryClient {
  const { path } = history
  /** Sends a request once: of one that Bun had sent twice, only the second answer would be written down. */
  const request = (from: Caller, below: string, call: Call = {}) =>
    from(`${path}${below}`, {
      ...call,
      keepalive: false,
      signal: AbortSignal.timeout(requestSecondsMax * 1000),
    })
  const factsOf = ({ bytes, contentType }: Content): Facts => ({
    size: bytes.length,
    contentType,
    createdBy: by,
  })

  /** Reads a version's bytes, which must be those of the digest that the answer names. */
  async function readBytes(answer: Response): Promise<Result> {
    const digest = parseEntityTag(answer.headers.get('etag')) ?? 'no digest'
    const bytes = await answer.bytes()
    if (digestOf(bytes) !== digest)
      history.flaws.push(`${bytes.length} bytes that are not those of ${digest}`)
    return { code: 'ok', digest }
  }

  return {
    async upload(content, how, ifLatest) {
      const { bytes, contentType, digest } = content
      const declared: Record<string, string> =
        how === 'declared' ? { 'repr-digest': reprDigestOf(bytes) } : {}
      await record(
        history,
        { kind: 'upload', digest, facts: factsOf(content), ifLatest },
        {
          send: () =>
            request(caller, '', {
              method: 'PUT',
              headers: { 'content-type': contentType, ...declared, ...latestHeaders(ifLatest) },
              body: how === 'chunked' ? inChunks(bytes) : bytes,
            }),
          read: readAccepted,
        },
      )
    },

    async uploadByTicket(content, completers) {
      const { bytes, contentType, digest } = content
      let ticket: Ticket | undefined
      const asked = jsonBody({ digest, size: bytes.length, contentType })
      await record(
        history,
        { kind: 'ticket', digest },
        {
          send: () => request(caller, '/uploads', { method: 'POST', ...asked }),
          async read(answer) {
            const body = await jsonOf(answer)
            if (answer.status === 200) return accepted(body.published as Json)
            ticket = body as unknown as Ticket
            return { code: 'issued' }
          },
        },
      )
      if (ticket === undefined) return
      const { id, ticket: proof } = ticket
      // Without the bytes the completion is refused, or finds them after all.
      await sendTicket(ticket, bytes).catch(() => null)
      const complete = async (from: Caller) => {
        for (;;) {
          const answer = await request(from, `/uploads/${id}/complete`, {
            method: 'POST',
            ...jsonBody({ ticket: proof }),
          })
          if (answer.status !== 202) return answer
          await Bun.sleep(100)
        }
      }
      await Promise.all(
        completers.map((from) =>
          record(
            history,
            { kind: 'complete', ticket: id, digest, facts: factsOf(content) },
            { send: () => complete(from), read: readAccepted },
          ),
        ),
      )
    },

    async remove(digest) {
      await record(
        history,
        { kind: 'delete', digest },
        { send: () => request(caller, `/versions/${digest}`, { method: 'DELETE' }), read: readDone },
      )
    },

    async moveTag(tag, digest, ifMatch) {
      const { body, headers } = jsonBody({ digest })
      const condition = ifMatch === undefined ? {} : { 'if-match': conditionText(ifMatch) }
      const result = await record(
        history,
        { kind: 'moveTag', tag, digest, ifMatch },
        {
          send: () =>
            request(caller, `/tags/${tag}`, { method: 'PUT', body, headers: { ...headers, ...condition } }),
          read: async (answer) => ({ code: 'ok', created: answer.status === 201, ...tagOf(answer) }),
        },
      )
      return result?.code === 'ok' ? result.etag : undefined
    },

    async removeTag(tag) {
      await record(
        history,
        { kind: 'removeTag', tag },
        { send: () => request(caller, `/tags/${tag}`, { method: 'DELETE' }), read: readDone },
      )
    },

    async readTag(tag) {
      const result = await record(
        history,
        { kind: 'readTag', tag },
        {
          send: () => request(caller, `/tags/${tag}`),
          read: async (answer) => ({
            ...{ code: 'ok', ...tagOf(answer) },
            digest: String((await jsonOf(answer)).digest),
          }),
        },
      )
      return result?.code === 'ok' ? result.etag : undefined
    },

    async readByTag(tag) {
      await record(
        history,
        { kind: 'readByTag', tag },
        { send: () => request(caller, `?tag=${tag}`), read: readBytes },
      )
    },

    async read(digest) {
      await record(
        history,
        { kind: 'read', digest },
        { send: () => request(caller, `/versions/${digest}`), read: readBytes },
      )
    },

    async list() {
      const [type, name] = path.split('/')
      const start = performance.now()
      const answer = await caller(`?type=${type}&name=${name}&limit=1000`).catch(() => null)
      if (!answer?.ok) return
      const { documents } = (await answer.json()) as { documents: { digest: string }[] }
      const end = performance.now()
      for (const { digest } of history.contents) {
        const found = documents.some((listed) => listed.digest === digest)
        const result: Result = { code: found ? 'ok' : 'document_not_found' }
        add(history, { operation: { kind: 'read', digest }, result, start, end })
      }
    },
  }
}

async function readAccepted(answer: Response): Promise<Result> {
  return accepted(await jsonOf(answer), answer.status === 201)
}

/** Reads a document as the API shows it. */
function accepted({ size, contentType, createdBy, tags }: Json, created?: boolean): Result {
  const facts = { size: Number(size), contentType: String(contentType), createdBy: String(createdBy) }
  return { code: 'ok', created, facts, tags: tags as string[] }
}

async function readDone(): Promise<Result> {
  return { code: 'ok' }
}

function tagOf(answer: Response): { etag: string | undefined } {
  return { etag: parseEntityTag(answer.headers.get('etag')) ?? undefined }
}

function latestHeaders(ifLatest: LatestCondition | undefined): Record<string, string> {
  if (ifLatest === undefined) return {}
  return ifLatest === 'absent' ? { 'if-none-match': '*' } : { 'if-match': conditionText(ifLatest) }
}

function conditionText(condition: Condition): string {
  return condition === '*' ? '*' : condition.map(formatEntityTag).join(', ')
}
