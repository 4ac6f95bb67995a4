import { describe, expect, it } from 'bun:test'
import { ArgumentError, ProblemError, ProtocolError } from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  documents,
  problemAnswer,
  rejection,
  serve,
} from '../../../support/client/client-service.ts'
import { signature } from '../../../support/client/client-ticket-service.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const version = (name: string) => ({ type: 'definitions', name, digest: digestOf(bytesOf(name)) })
const [a, b] = [version('a'), version('b')]
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const tagged = {
  ...{
    type: 'urn:cloudlysis:problem:version_tagged',
    title: 'Tagged',
    status: 409,
    detail: 'Move the tags.',
  },
  ...{ code: 'version_tagged', traceId, tags: ['production'] },
}

/** A service that answers the same to every call, and keeps what it was asked. */
function serveAnswering(answer: unknown) {
  const asked: { call: string; body: unknown }[] = []
  const server = serve(async (request, { pathname }) => {
    asked.push({
      call: `${request.method} ${pathname.slice(documents.length)}`,
      body: await request.json(),
    })
    return Response.json(answer)
  })
  return { ...server, asked }
}

describe('client.have', () => {
  it('says of each version whether its bytes are there', async () => {
    const rows = [
      { ...a, present: true },
      { ...b, present: false },
    ]
    using server = serveAnswering({ documents: rows })
    expect(await clientOf(server.url).have([a, b])).toEqual(rows)
    expect(server.asked).toEqual([{ call: 'POST /have', body: { documents: [a, b] } }])
  })

  it('takes no answer that is about other versions, or about fewer', async () => {
    using other = serveAnswering({ documents: [{ ...b, present: true }] })
    expect(await rejection(clientOf(other.url).have([a]))).toBeInstanceOf(ProtocolError)
    using fewer = serveAnswering({ documents: [{ ...a, present: true }] })
    expect(await rejection(clientOf(fewer.url).have([a, b]))).toBeInstanceOf(ProtocolError)
    using unclear = serveAnswering({ documents: [{ ...a, present: 'yes' }] })
    expect(await rejection(clientOf(unclear.url).have([a]))).toBeInstanceOf(ProtocolError)
  })

  it('refuses names without their form before it asks', async () => {
    const client = clientOf('http://127.0.0.1:9')
    expect(await rejection(client.have([{ ...a, name: '../..' }]))).toBeInstanceOf(ArgumentError)
  })
})

describe('client.downloadUrls', () => {
  const url = `https://store.example.com/bucket/key?X-Amz-Signature=${signature}`
  const expiresAt = '2026-11-23T10:05:00.000Z'

  it('gives the URL of each version, or why it has none', async () => {
    const absent = { ...tagged, status: 404, code: 'document_not_found', tags: undefined }
    using server = serveAnswering({
      downloads: [
        { ...a, url, expiresAt },
        { ...b, problem: absent },
      ],
    })
    const [first, second] = await clientOf(server.url).downloadUrls([a, b], { expiresInSeconds: 60 })
    expect(first).toEqual({ ...a, url, expiresAt, error: null })
    expect(second).toMatchObject({ ...b, error: { status: 404, code: 'document_not_found' } })
    expect(server.asked).toEqual([
      { call: 'POST /downloads', body: { documents: [a, b], expiresInSeconds: 60 } },
    ])
  })

  it('takes no URL that is for something else than http, and does not repeat it', async () => {
    const wrong = `file:///key?X-Amz-Signature=${signature}`
    using server = serveAnswering({ downloads: [{ ...a, url: wrong, expiresAt }] })
    const error = await rejection(clientOf(server.url).downloadUrls([a]))
    expect(error).toBeInstanceOf(ProtocolError)
    expect(Bun.inspect(error)).not.toContain(signature)
  })
})

describe('client.deleteMany', () => {
  it('says of each version whether it is gone, and otherwise gives the error of a call about it alone', async () => {
    const busy = { ...tagged, status: 503, code: 'busy', retryAfterSeconds: 30, tags: undefined }
    const c = version('c')
    using server = serveAnswering({
      results: [
        { ...a, status: 204 },
        { ...b, problem: tagged },
        { ...c, problem: busy },
      ],
    })
    const [gone, kept, later] = await clientOf(server.url).deleteMany([a, b, c])
    expect(gone).toEqual({ ...a, error: null })
    expect(kept?.error).toBeInstanceOf(ProblemError)
    expect(kept).toMatchObject({
      ...b,
      error: {
        ...{ status: 409, code: 'version_tagged', title: 'Tagged', detail: 'Move the tags.', traceId },
        ...{ retryAfterSeconds: null, extensions: { tags: ['production'] } },
      },
    })
    expect(later?.error).toMatchObject({ code: 'busy', retryAfterSeconds: 30, extensions: {} })
    expect(server.asked).toEqual([{ call: 'POST /delete', body: { documents: [a, b, c] } }])
  })

  it('fails as a whole if the service refuses the call', async () => {
    using server = serve(() => problemAnswer(403, { code: 'scope_missing', detail: 'No.' }))
    expect(await rejection(clientOf(server.url).deleteMany([a]))).toMatchObject({ code: 'scope_missing' })
  })

  it('takes no row for a deletion that does not say so', async () => {
    using server = serveAnswering({ results: [{ ...a, status: 202 }] })
    expect(await rejection(clientOf(server.url).deleteMany([a]))).toBeInstanceOf(ProtocolError)
  })
})
