import { describe, expect, it } from 'bun:test'
import { ArgumentError, ProblemError, ProtocolError } from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  documentOf,
  documents,
  problemAnswer,
  rejection,
  serve,
} from '../../../support/client/client-service.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const orders = { type: 'definitions', name: 'orders.json' }
const digest = digestOf(bytesOf('orders'))

function row(name: string) {
  return { tenant: 'acme', type: 'definitions', name, digest, size: 6, storedAt: '2026-11-23T10:00:00.000Z' }
}

const moved = {
  tenant: 'acme',
  ...orders,
  tag: 'production',
  digest,
  movedAt: '2026-11-23T10:00:00.000Z',
  movedBy: 'ada',
}

describe('client.list', () => {
  it('goes over all pages, with the filter and the cursor of the page before', async () => {
    const asked: string[] = []
    using server = serve((_request, url) => {
      asked.push(`${url.pathname}${url.search}`)
      return url.searchParams.has('cursor')
        ? Response.json({ documents: [row('c')], nextCursor: null })
        : Response.json({ documents: [row('a'), row('b')], nextCursor: 'more+/=' })
    })
    const listing = clientOf(server.url).list({ type: 'definitions', namePrefix: 'or', limit: 2 })
    expect((await Array.fromAsync(listing)).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(asked).toEqual([
      `${documents}?type=definitions&namePrefix=or&limit=2`,
      `${documents}?type=definitions&namePrefix=or&limit=2&cursor=more%2B%2F%3D`,
    ])
  })

  it('requests no page before its rows are read', async () => {
    let calls = 0
    using server = serve(() => {
      calls += 1
      return Response.json({ documents: [row('a'), row('b')], nextCursor: `after-${calls}` })
    })
    for await (const { name } of clientOf(server.url).list()) {
      if (name === 'b') break
    }
    expect(calls).toBe(1)
  })

  it('continues after a page without rows', async () => {
    using server = serve((_request, url) =>
      url.searchParams.has('cursor')
        ? Response.json({ documents: [row('a')], nextCursor: null })
        : Response.json({ documents: [], nextCursor: 'more' }),
    )
    expect(await Array.fromAsync(clientOf(server.url).list())).toEqual([row('a')])
  })

  it('does not turn in circles with a service that repeats a cursor', async () => {
    using server = serve(() => Response.json({ documents: [], nextCursor: 'same' }))
    expect(await rejection(Array.fromAsync(clientOf(server.url).list()))).toBeInstanceOf(ProtocolError)
  })

  it('stops with the problem of a later page', async () => {
    using server = serve((_request, url) =>
      url.searchParams.has('cursor')
        ? problemAnswer(503, { code: 'store_unavailable' }, { 'retry-after': '5' })
        : Response.json({ documents: [row('a')], nextCursor: 'more' }),
    )
    const error = await rejection(Array.fromAsync(clientOf(server.url).list()))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'store_unavailable', retryAfterSeconds: 5 })
  })

  it('refuses rows that are no documents', async () => {
    using server = serve(() =>
      Response.json({ documents: [{ ...row('a'), digest: 'md5:0' }], nextCursor: null }),
    )
    expect(await rejection(clientOf(server.url).listPage())).toBeInstanceOf(ProtocolError)
  })

  it('refuses a type without its form before it asks', async () => {
    expect(await rejection(clientOf('http://127.0.0.1:9').listPage({ type: 'No/Type' }))).toBeInstanceOf(
      ArgumentError,
    )
  })
})

describe('client.versions', () => {
  it('goes over all versions of a document', async () => {
    const [first, second] = [documentOf(bytesOf('first')), documentOf(bytesOf('second'))]
    using server = serve((_request, url) => {
      expect(url.pathname).toBe(`${documents}/definitions/orders.json/versions`)
      return url.searchParams.has('cursor')
        ? Response.json({ versions: [first], nextCursor: null })
        : Response.json({ versions: [second], nextCursor: 'more' })
    })
    expect(await Array.fromAsync(clientOf(server.url).versions(orders))).toEqual([second, first])
  })
})

describe('client.deleteVersion', () => {
  it('removes the version of this digest', async () => {
    using server = serve((request, url) => {
      expect([request.method, url.pathname]).toEqual([
        'DELETE',
        `${documents}/definitions/orders.json/versions/${digest}`,
      ])
      return new Response(null, { status: 204 })
    })
    await clientOf(server.url).deleteVersion({ ...orders, digest })
  })

  it('names the tags that hold a version', async () => {
    using server = serve(() =>
      problemAnswer(409, { code: 'version_tagged', detail: 'Tagged.', tags: ['production'] }),
    )
    const error = await rejection(clientOf(server.url).deleteVersion({ ...orders, digest }))
    expect(error).toMatchObject({ status: 409, code: 'version_tagged', extensions: { tags: ['production'] } })
  })

  it('refuses a digest without its form before it asks', async () => {
    const client = clientOf('http://127.0.0.1:9')
    expect(await rejection(client.deleteVersion({ ...orders, digest: 'sha256:../..' }))).toBeInstanceOf(
      ArgumentError,
    )
  })
})

describe('client tags', () => {
  it('reads a tag with its ETag', async () => {
    using server = serve((_request, url) => {
      expect(url.pathname).toBe(`${documents}/definitions/orders.json/tags/production`)
      return Response.json(moved, { headers: { etag: '"e1"' } })
    })
    expect(await clientOf(server.url).getTag(orders, 'production')).toEqual({ ...moved, digest, etag: 'e1' })
  })

  it('moves a tag, and says whether it is new', async () => {
    using server = serve(async (request) => {
      expect([request.method, request.headers.get('if-match'), await request.json()]).toEqual([
        'PUT',
        null,
        { digest },
      ])
      return Response.json(moved, { status: 201, headers: { etag: '"e2"' } })
    })
    const { tag, created } = await clientOf(server.url).putTag(orders, 'production', digest)
    expect([tag.etag, created]).toEqual(['e2', true])
  })

  it('moves a tag only from where it was read, with the ETag in quotes', async () => {
    using server = serve((request) =>
      request.headers.get('if-match') === '"e1"'
        ? Response.json(moved, { status: 200, headers: { etag: '"e2"' } })
        : problemAnswer(412, { code: 'precondition_failed' }),
    )
    const client = clientOf(server.url)
    expect((await client.putTag(orders, 'production', digest, { ifMatch: 'e1' })).created).toBe(false)
    expect(await rejection(client.putTag(orders, 'production', digest, { ifMatch: 'e0' }))).toMatchObject({
      status: 412,
    })
  })

  it('removes a tag', async () => {
    using server = serve((request, url) => {
      expect([request.method, url.pathname]).toEqual([
        'DELETE',
        `${documents}/definitions/orders.json/tags/production`,
      ])
      return new Response(null, { status: 204 })
    })
    await clientOf(server.url).deleteTag(orders, 'production')
  })
})
