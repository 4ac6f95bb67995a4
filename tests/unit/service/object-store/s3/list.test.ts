import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../../service/limits.ts'
import { createS3ObjectStore } from '../../../../../service/object-store/s3/s3-object-store.ts'
import { stoppedAfterTests } from '../../../../support/stop-at-the-end.ts'

interface Answer {
  keys: string[]
  /** Common prefixes, which stores write after the keys. */
  prefixes?: string[]
  /** As XML has it; absent: the page says that it is the last one. */
  next?: string
  truncated?: boolean
  /** The keys are URL-encoded, and the answer says so. */
  encoded?: boolean
}

/** A store whose pages of a listing are these, by the token that they are asked for with. */
function storeWith(answerTo: (token: string | null) => Answer) {
  const asked: (string | null)[] = []
  const queries: URLSearchParams[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { searchParams } = new URL(request.url)
      queries.push(searchParams)
      const token = searchParams.get('continuation-token')
      asked.push(token)
      return new Response(xmlOf(answerTo(token)), { headers: { 'content-type': 'application/xml' } })
    },
  })
  const store = createS3ObjectStore({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    forcePathStyle: true,
    bucket: 'bucket',
    connectionsMax: 2,
  })
  stoppedAfterTests({
    async stop() {
      store.close()
      await server.stop(true)
    },
  })
  const list = async (token?: string) => {
    const { objects, next } = await store.list({ prefix: '', limit: 10, token })
    return { keys: objects.map(({ key }) => key), next }
  }
  const listPrefixes = async (token?: string) => store.listPrefixes({ prefix: '', limit: 10, token })
  return { list, listPrefixes, asked, queries }
}

function xmlOf({
  keys,
  prefixes = [],
  next,
  truncated = next !== undefined,
  encoded = false,
}: Answer): string {
  const encoding = encoded ? '<EncodingType>url</EncodingType>' : ''
  const token = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
      '<ETag>&#34;e&#34;</ETag><Size>1</Size></Contents>',
  )
  const common = prefixes.map((prefix) => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`)
  const head = `<Prefix></Prefix>${encoding}<IsTruncated>${truncated}</IsTruncated>${token}`
  return `<ListBucketResult>${head}${contents.join('')}${common.join('')}</ListBucketResult>`
}

describe('the listing of the S3 adapter', () => {
  it('continues by the token of the page before, character by character', async () => {
    const { list, asked } = storeWith((token) =>
      token === null ? { keys: ['a'], next: 'x+/=&amp;[id:1]' } : { keys: ['b'] },
    )
    const first = await list()
    expect(first).toEqual({ keys: ['a'], next: 'x+/=&[id:1]' })
    expect(await list(first.next ?? '')).toEqual({ keys: ['b'], next: null })
    expect(asked).toEqual([null, 'x+/=&[id:1]'])
  })

  it('takes keys for URL-encoded only where the answer says so', async () => {
    const keys = ['100%25', 'a+b', 'c%20d']
    expect((await storeWith(() => ({ keys, encoded: true })).list()).keys).toEqual(['100%', 'a b', 'c d'])
    const plain = ['100%', 'a+b', 'c%20d', 'e &amp; f']
    expect((await storeWith(() => ({ keys: plain })).list()).keys).toEqual(['100%', 'a+b', 'c%20d', 'e & f'])
  })

  it('does not end at a key whose bytes are no UTF-8', async () => {
    const { list } = storeWith(() => ({ keys: ['%FF%FE', 'a'], encoded: true }))
    expect((await list()).keys).toEqual(['%FF%FE', 'a'])
  })

  it('continues over pages without keys that say that more follow', async () => {
    const { list, asked } = storeWith((token) => {
      if (token === null) return { keys: [], next: '1' }
      return token === '1' ? { keys: [], next: '2' } : { keys: ['a'], next: '3' }
    })
    expect(await list()).toEqual({ keys: ['a'], next: '3' })
    expect(asked).toEqual([null, '1', '2'])
  })

  it('is empty where nothing follows a page without keys', async () => {
    const { list } = storeWith((token) => (token === null ? { keys: [], next: '1' } : { keys: [] }))
    expect(await list()).toEqual({ keys: [], next: null })
  })

  it('fails where page after page is without keys', async () => {
    const { list, asked } = storeWith((token) => ({ keys: [], next: `${Number(token) + 1}` }))
    const failure = { code: 'unavailable', operation: 'list', reason: 'EmptyPages' }
    await expect(list()).rejects.toMatchObject(failure)
    expect(asked).toHaveLength(limits.emptyListPagesMax)
  })

  it('fails where more follows and the store does not say how to continue', async () => {
    const { list } = storeWith(() => ({ keys: ['a'], truncated: true }))
    await expect(list()).rejects.toMatchObject({ code: 'rejected', reason: 'NoContinuationToken' })
  })
})

describe('the listing of folders of the S3 adapter', () => {
  it('asks for a delimiter, leaves keys out, and continues by token', async () => {
    const { listPrefixes, queries } = storeWith((token) =>
      token === null ? { keys: ['a'], prefixes: ['b/', 'c/'], next: 'x+/=' } : { keys: [], prefixes: ['d/'] },
    )
    expect(await listPrefixes()).toEqual({ prefixes: ['b/', 'c/'], next: 'x+/=' })
    expect(await listPrefixes('x+/=')).toEqual({ prefixes: ['d/'], next: null })
    expect(queries.map((query) => query.get('delimiter'))).toEqual(['/', '/'])
  })

  it('takes folders for URL-encoded only where the answer says so', async () => {
    const encoded = storeWith(() => ({
      keys: ['x%2Fy'],
      prefixes: ['100%25/', 'a+b/', 'c%20d/'],
      encoded: true,
    }))
    expect((await encoded.listPrefixes()).prefixes).toEqual(['100%/', 'a b/', 'c d/'])
    const plain = storeWith(() => ({ keys: [], prefixes: ['100%/', 'a+b/', 'e &amp; f/'] }))
    expect((await plain.listPrefixes()).prefixes).toEqual(['100%/', 'a+b/', 'e & f/'])
  })

  it('continues over pages of keys alone, and fails where more follows without an end', async () => {
    const { listPrefixes, asked } = storeWith((token) =>
      token === null ? { keys: ['a', 'b'], next: '1' } : { keys: [], prefixes: ['c/'] },
    )
    expect(await listPrefixes()).toEqual({ prefixes: ['c/'], next: null })
    expect(asked).toEqual([null, '1'])
    const endless = storeWith(() => ({ keys: ['a'], truncated: true }))
    await expect(endless.listPrefixes()).rejects.toMatchObject({ reason: 'NoContinuationToken' })
  })

  it('fails where the answer is cut short', async () => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response('<ListBucketResult><CommonPrefixes><Prefix>a/</Prefix>'),
    })
    const store = createS3ObjectStore({
      ...{ endpoint: `http://127.0.0.1:${server.port}`, region: 'us-east-1', forcePathStyle: true },
      ...{ accessKeyId: 'key', secretAccessKey: 'secret', bucket: 'bucket', connectionsMax: 2 },
    })
    stoppedAfterTests({ stop: () => server.stop(true) })
    await expect(store.listPrefixes({ prefix: '', limit: 1 })).rejects.toMatchObject({ code: 'unavailable' })
  })
})
