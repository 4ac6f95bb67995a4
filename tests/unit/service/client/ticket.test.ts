import { describe, expect, it } from 'bun:test'
import { truncateSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ArgumentError,
  CompletionPendingError,
  DigestMismatchError,
  ProblemError,
  SizeMismatchError,
  StoreError,
} from '../../../../service/client/errors.ts'
import type { UploadProgress } from '../../../../service/client/progress.ts'
import {
  bytesOf,
  clientOf,
  documentOf,
  problemAnswer,
  rejection,
  testToken,
} from '../../../support/client/client-service.ts'
import {
  deadUrl,
  s3Error,
  serveTickets,
  signature,
  ticketClient,
} from '../../../support/client/client-ticket-service.ts'
import { folderForTests } from '../../../support/folder.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { streamOf } from '../../../support/stores/bodies.ts'

const orders = { type: 'definitions', name: 'orders.json' }
const bytes = bytesOf('{"orders":[1,2,3]}')
const uploaded = { document: documentOf(bytes), created: true, via: 'ticket', fallbackReason: null } as const

describe('client.put of what is large enough for a ticket', () => {
  it('asks for a ticket for these bytes, sends the form to the store, and completes with the ticket', async () => {
    using server = serveTickets()
    const put = await ticketClient(server.url).put(orders, bytes, { contentType: 'application/json' })
    expect(put).toEqual(uploaded)
    const [ticket] = server.tickets
    expect(ticket?.body).toEqual({ digest: digestOf(bytes), size: 18, contentType: 'application/json' })
    expect(server.completions).toEqual([{ id: ticket?.id ?? '', body: { ticket: `ticket-${ticket?.id}` } }])
    expect(server.throughService).toEqual([])
  })

  it('puts the fields before the file, says the exact length, and gives the store no token', async () => {
    using server = serveTickets()
    await ticketClient(server.url).put(orders, new Blob([bytes]))
    const [stored] = server.stored
    if (!stored) return expect.unreachable()
    expect([stored.method, stored.parts]).toEqual(['POST', ['key', 'Content-Type', 'Policy', 'file']])
    expect(new TextDecoder().decode(stored.file)).toBe('{"orders":[1,2,3]}')
    expect(stored.headers['content-length']).toBe(`${stored.raw.length}`)
    expect(stored.headers).not.toHaveProperty('transfer-encoding')
    expect(JSON.stringify(stored.headers)).not.toContain(testToken)
  })

  it('sends the headers of a PUT ticket and the bytes alone', async () => {
    using server = serveTickets({ method: 'PUT' })
    expect(await ticketClient(server.url).put(orders, new Blob([bytes]))).toEqual(uploaded)
    const [stored] = server.stored
    expect(stored).toMatchObject({
      method: 'PUT',
      headers: { 'content-type': 'text/plain', 'x-amz-checksum-sha256': 'abc=' },
      file: bytes,
    })
    expect(stored?.headers).not.toHaveProperty('authorization')
  })

  it('sends nothing where the bytes are published already', async () => {
    const published = documentOf(bytes)
    using server = serveTickets({ ticket: () => Response.json({ published }) })
    expect(await ticketClient(server.url).put(orders, bytes)).toEqual({ ...uploaded, created: false })
    expect([server.stored, server.completions, server.throughService]).toEqual([[], [], []])
  })

  it('tells how far the hashing, the sending and the verification are', async () => {
    const large = new Uint8Array(3_000_000).fill(7)
    using server = serveTickets()
    const told: UploadProgress[] = []
    await ticketClient(server.url).put(orders, large, { onProgress: (progress) => told.push(progress) })
    const phases = Map.groupBy(told, ({ phase }) => phase)
    expect([...phases.keys()]).toEqual(['hash', 'send', 'verify'])
    expect(told.every(({ totalBytes }) => totalBytes === 3_000_000)).toBe(true)
    expect(phases.get('hash')?.length).toBeGreaterThan(1)
    expect(phases.get('send')?.length).toBeGreaterThan(1)
    expect([...phases.values()].map((phase) => phase.at(-1)?.bytes)).toEqual([3e6, 3e6, 3e6])
  })

  it('does not read a Blob for a digest that the caller knows', async () => {
    using server = serveTickets()
    const phases = new Set<string>()
    const onProgress = ({ phase }: UploadProgress) => void phases.add(phase)
    await ticketClient(server.url).put(orders, new Blob([bytes]), { digest: digestOf(bytes), onProgress })
    expect([...phases]).toEqual(['send', 'verify'])
  })

  it('publishes nothing, and says so, where the source is not what was hashed', async () => {
    using server = serveTickets()
    const digest = digestOf(bytesOf('other'))
    const put = ticketClient(server.url).put(orders, new Blob([bytes]), { digest })
    expect(await rejection(put)).toBeInstanceOf(DigestMismatchError)
    expect([server.completions, server.throughService]).toEqual([[], []])
  })
})

describe('client.put of a file by ticket', () => {
  it('publishes nothing, and says so, where the file shrinks after it was hashed', async () => {
    using server = serveTickets()
    const folder = await folderForTests('client-ticket-')
    const file = join(folder, 'shrinking')
    await writeFile(file, new Uint8Array(1000))
    const put = ticketClient(server.url).put(orders, Bun.file(file), {
      onProgress: ({ phase }) => phase === 'hash' && truncateSync(file, 999),
    })
    expect(await rejection(put)).toBeInstanceOf(SizeMismatchError)
    expect([server.completions, server.throughService]).toEqual([[], []])
  })
})

describe('which way client.put takes', () => {
  it('is through the service below the threshold, and by ticket from it on', async () => {
    using server = serveTickets()
    const client = ticketClient(server.url, { ticketBytesMin: 18 })
    expect((await client.put(orders, bytes.slice(1))).via).toBe('service')
    expect((await client.put(orders, bytes)).via).toBe('ticket')
  })

  it('is through the service for small bytes unless the client is configured otherwise', async () => {
    using server = serveTickets()
    expect((await clientOf(server.url).put(orders, bytes)).via).toBe('service')
    expect((await clientOf(server.url).put(orders, bytes, { via: 'ticket' })).via).toBe('ticket')
  })

  it('is the one that the caller asks for', async () => {
    using server = serveTickets()
    expect((await ticketClient(server.url).put(orders, bytes, { via: 'service' })).via).toBe('service')
    expect(server.tickets).toEqual([])
  })

  it('is through the service for a stream, whose digest is not known', async () => {
    using server = serveTickets()
    expect((await ticketClient(server.url).put(orders, streamOf(bytes), { size: 18 })).via).toBe('service')
    const asked = ticketClient(server.url).put(orders, streamOf(bytes), { via: 'ticket' })
    expect(await rejection(asked)).toBeInstanceOf(ArgumentError)
    expect(server.tickets).toEqual([])
  })

  it('is through the service where it gives no tickets, and says why', async () => {
    const ticket = () => problemAnswer(501, { code: 'tickets_unavailable' })
    using server = serveTickets({ ticket })
    expect(await ticketClient(server.url).put(orders, bytes)).toEqual({
      ...uploaded,
      via: 'service',
      fallbackReason: 'tickets_unavailable',
    })
    expect(server.tickets).toHaveLength(1)
    const only = ticketClient(server.url).put(orders, bytes, { via: 'ticket' })
    expect(await rejection(only)).toMatchObject({ status: 501, code: 'tickets_unavailable' })
  })

  it('is through the service while it does not know its store', async () => {
    const ticket = () => problemAnswer(503, { code: 'store_unknown' }, { 'retry-after': '5' })
    using server = serveTickets({ ticket })
    const put = await ticketClient(server.url).put(orders, bytes)
    expect(put).toMatchObject({ via: 'service', fallbackReason: 'store_unknown' })
    expect(server.tickets).toHaveLength(1)
  })

  it('is through the service where the store cannot be reached', async () => {
    using server = serveTickets({ storeUrl: deadUrl() })
    const put = await ticketClient(server.url).put(orders, new Blob([bytes]))
    expect(put).toMatchObject({ via: 'service', document: { digest: digestOf(bytes) } })
    expect(put.fallbackReason).toStartWith('store: ')
    expect(server.throughService).toEqual([bytes])
  })

  it('is through the service where the store takes no byte and does not say no', async () => {
    using server = serveTickets({ store: () => Bun.sleep(5_000).then(() => undefined) })
    const client = ticketClient(server.url, { storeIdleSecondsMax: 0.1, storeAnswerSecondsMax: 0.1 })
    expect(await client.put(orders, bytes)).toMatchObject({
      via: 'service',
      fallbackReason: 'store: stalled',
    })
  })

  it('is through the service where the store refuses twice', async () => {
    using server = serveTickets({ store: () => s3Error(403, 'AccessDenied') })
    const put = await ticketClient(server.url).put(orders, bytes)
    expect(put).toMatchObject({ via: 'service', fallbackReason: 'store: AccessDenied' })
    expect(server.tickets).toHaveLength(2)
  })

  it('is none where the service refuses the ticket for what it is', async () => {
    using server = serveTickets({ ticket: () => problemAnswer(413, { code: 'document_too_large' }) })
    expect(await rejection(ticketClient(server.url).put(orders, bytes))).toMatchObject({ status: 413 })
    expect(server.throughService).toEqual([])
  })
})

describe('client.put by ticket, when something fails', () => {
  const onFirst = (answer: () => Response) => (call: number) => (call === 1 ? answer() : undefined)
  const problem = (status: number, code: string) => onFirst(() => problemAnswer(status, { code }))
  const busy = () => new Response('<html>slow down</html>', { status: 429 })
  const later = () => new Response(null, { status: 202, headers: { 'retry-after': '0' } })

  it.each([
    [
      'sends again with the same ticket while it lives',
      { store: (call: number) => (call < 3 ? s3Error(503, 'SlowDown') : undefined) },
      { tickets: 1, stored: 1, completions: 1 },
    ],
    [
      'sends again after a 429 that is no answer of S3 at all',
      { store: onFirst(busy) },
      { tickets: 1, stored: 1, completions: 1 },
    ],
    [
      'asks for a new ticket where the store refuses the first',
      { store: onFirst(() => s3Error(403, 'AccessDenied')) },
      { tickets: 2, stored: 1, completions: 1 },
    ],
    [
      'asks for the ticket again where the service has no time',
      { ticket: problem(503, 'busy') },
      { tickets: 2, stored: 1, completions: 1 },
    ],
    [
      'asks again for a completion that is under way',
      { complete: (call: number) => (call < 3 ? later() : undefined) },
      { tickets: 1, stored: 1, completions: 3 },
    ],
    [
      'completes again where the service failed at it',
      { complete: problem(503, 'store_unavailable') },
      { tickets: 1, stored: 1, completions: 2 },
    ],
    [
      'uploads again with a new ticket where the staged bytes changed',
      { complete: problem(409, 'upload_changed') },
      { tickets: 2, stored: 2, completions: 2 },
    ],
  ])('%s', async (_title, script, expected) => {
    using server = serveTickets(script)
    expect(await ticketClient(server.url).put(orders, bytes)).toEqual(uploaded)
    const { tickets, stored, completions } = server
    expect({ tickets: tickets.length, stored: stored.length, completions: completions.length }).toEqual(
      expected,
    )
  })

  it('sends again with a new ticket where the old one is over', async () => {
    const store = (call: number) => (call === 1 ? s3Error(500, 'InternalError') : undefined)
    using server = serveTickets({ store, lifeSeconds: -1 })
    expect(await ticketClient(server.url).put(orders, bytes)).toEqual(uploaded)
    expect(server.completions.map(({ id }) => id)).toEqual([server.tickets[1]?.id ?? ''])
  })

  it('gives up after a bounded number of times', async () => {
    let calls = 0
    const store = () => {
      calls++
      return s3Error(503, 'SlowDown')
    }
    using server = serveTickets({ store })
    const put = ticketClient(server.url, { sendAttemptsMax: 3 }).put(orders, bytes, { via: 'ticket' })
    expect(await rejection(put)).toMatchObject({ name: 'StoreError', status: 503, reason: 'SlowDown' })
    expect(calls).toBe(3)
  })

  it('does not wait for a completion indefinitely', async () => {
    using server = serveTickets({
      complete: () => new Response(null, { status: 202, headers: { 'retry-after': '1' } }),
    })
    const put = ticketClient(server.url, { completionSecondsMax: 0.5 }).put(orders, bytes)
    expect(await rejection(put)).toBeInstanceOf(CompletionPendingError)
    expect(server.throughService).toEqual([])
  })

  it('uploads again if the upload is not there, a bounded number of times', async () => {
    using server = serveTickets({ complete: () => problemAnswer(404, { code: 'upload_not_found' }) })
    const put = ticketClient(server.url).put(orders, bytes, { via: 'ticket' })
    expect(await rejection(put)).toMatchObject({ code: 'upload_not_found' })
    expect(server.stored).toHaveLength(2)
  })

  it('says so where the service finds other bytes, and sends them no other way', async () => {
    using server = serveTickets({ complete: () => problemAnswer(422, { code: 'digest_mismatch' }) })
    const error = await rejection(ticketClient(server.url).put(orders, bytes))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'digest_mismatch' })
    expect([server.stored.length, server.throughService.length]).toEqual([1, 0])
  })

  it('does not believe a service that published other bytes', async () => {
    const complete = () => Response.json(documentOf(bytesOf('other')), { status: 201 })
    using server = serveTickets({ complete })
    expect(await rejection(ticketClient(server.url).put(orders, bytes))).toBeInstanceOf(DigestMismatchError)
  })

  it('completes nothing when it is aborted while it sends', async () => {
    const stop = new AbortController()
    using server = serveTickets()
    const large = new Uint8Array(30_000_000)
    const put = ticketClient(server.url).put(orders, large, {
      signal: stop.signal,
      onProgress: ({ phase, bytes: sent }) => {
        if (phase === 'send' && sent > 1_000_000) stop.abort(new Error('enough'))
      },
    })
    expect(await rejection(put)).toEqual(new Error('enough'))
    expect([server.stored, server.completions, server.throughService]).toEqual([[], [], []])
  })

  it('stops waiting for another try when it is aborted', async () => {
    const stop = new AbortController()
    const store = () => {
      setTimeout(() => stop.abort(new Error('enough')), 20)
      return s3Error(503, 'SlowDown', { 'retry-after': '20' })
    }
    using server = serveTickets({ store })
    const put = ticketClient(server.url).put(orders, bytes, { signal: stop.signal })
    expect(await rejection(put)).toEqual(new Error('enough'))
  })

  it('never puts the signed URL into an error, whatever the store says or does', async () => {
    using refusing = serveTickets({ store: () => s3Error(403, 'AccessDenied') })
    using unreachable = serveTickets({ storeUrl: deadUrl() })
    using misled = serveTickets({ storeUrl: 'not a url' })
    const via = 'ticket'
    const refused = await rejection(ticketClient(refusing.url).put(orders, bytes, { via }))
    const unanswered = await rejection(ticketClient(unreachable.url).put(orders, bytes, { via }))
    const unusable = await rejection(ticketClient(misled.url).put(orders, bytes, { via }))
    expect(refused).toBeInstanceOf(StoreError)
    expect(refused).toMatchObject({ origin: refusing.storeUrl, status: 403, reason: 'AccessDenied' })
    expect(unanswered).toMatchObject({ name: 'StoreError', status: null })
    expect(unusable).toMatchObject({ name: 'ProtocolError' })
    const shown =
      Bun.inspect([refused, unanswered, unusable]) + JSON.stringify([refused, unanswered, unusable])
    expect(shown).not.toContain(signature)
  })
})
