import { afterAll, describe, expect, it } from 'bun:test'
import type { FindingId } from '../../../service/object-store/probe/finding.ts'
import { refusal, type SeenRequest } from '../../support/stores/lying-store.ts'
import { observe, useLies, useStore } from '../../support/stores/probe-under-test.ts'
import { startStoreProxy } from '../../support/stores/strict-proxy.ts'

const store = await useStore()
const observeLies = useLies(store)

const proxies: { stop(): Promise<void> }[] = []
afterAll(async () => {
  for (const proxy of proxies) await proxy.stop()
})

/** What a row observes on a store that refuses unsigned `x-amz-*` headers. */
async function observeStrict(id: FindingId) {
  const proxy = await startStoreProxy(store, { refuseUnsignedAmzHeaders: true })
  proxies.push(proxy)
  return observe(id, { ...proxy, bucket: store.bucket, connectionsMax: 1 })
}

/** The verdict of a row where one forgery, named by its key, is carried out. */
async function taken(id: FindingId, key: string) {
  return (await observeLies(id, { obey: new RegExp(`${key}$`) })).verdict
}

/** Expects a no wherever one of these forgeries is carried out. */
async function expectNoWhereTaken(id: FindingId, ...keys: string[]) {
  const verdicts = await Promise.all(keys.map(async (key) => [key, await taken(id, key)]))
  expect(verdicts).toEqual(keys.map((key) => [key, 'no']))
}

describe('the row post-policy', () => {
  it('is a yes where a form is taken and a forged signature refused', async () => {
    expect((await observe('post-policy', store)).verdict).toBe('yes')
  })

  it('is a no where forms are refused, or forged ones taken', async () => {
    const refused = await observeLies('post-policy', {
      answer: ({ isForm }) => (isForm ? refusal(405, 'MethodNotAllowed') : null),
    })
    expect(refused.verdict).toBe('no')
    expect(await taken('post-policy', 'post/forged')).toBe('no')
  })
})

describe('the row post-policy-bounds', () => {
  it('is a yes where a form is bound on all sides', async () => {
    expect((await observe('post-policy-bounds', store)).verdict).toBe('yes')
  })

  it('is a no where it is open on any one of them', async () => {
    const forgeries = ['shorter', 'longer', 'elsewhere', 'type', 'acl', 'copy', 'expired']
    await expectNoWhereTaken('post-policy-bounds', ...forgeries.map((name) => `bounds/${name}`))
  })
})

describe('the row post-policy-header', () => {
  it('is a yes where the header does nothing, or is refused', async () => {
    expect((await observe('post-policy-header', store)).verdict).toBe('yes')
    const refused = await observeLies('post-policy-header', {
      answer: ({ isForm, headers }) => (isForm && headers.has('x-amz-copy-source') ? refusal(403) : null),
    })
    expect(refused.verdict).toBe('yes')
  })

  it('is a no, and reported as an attack, where the header copies', async () => {
    const copying = await observeLies('post-policy-header', {
      answer: async ({ isForm, headers, key }, owner) => {
        const source = headers.get('x-amz-copy-source')
        if (!isForm || source === null) return null
        await owner.send({ method: 'PUT', key, headers: { 'x-amz-copy-source': source } })
        return new Response(null, { status: 204 })
      },
    })
    expect(copying).toMatchObject({ verdict: 'no', exploited: true })
  })

  it('is unknown where bytes appear that no one sent', async () => {
    const odd = await observeLies('post-policy-header', {
      change: (response, { method }) => (method === 'GET' ? new Response('neither') : response),
    })
    expect(odd.verdict).toBe('unknown')
  })
})

describe('the rows about the digest of an upload', () => {
  const withoutDigest = (response: Response, { method }: SeenRequest) => {
    if (method !== 'HEAD') return response
    const headers = new Headers(response.headers)
    headers.delete('x-amz-checksum-sha256')
    return new Response(null, { status: response.status, headers })
  }

  it('are a yes where other bytes are refused and the digest is reported', async () => {
    expect((await observe('post-policy-digest', store)).verdict).toBe('yes')
    expect((await observe('presigned-put-digest', store)).verdict).toBe('yes')
  })

  it('are a no where other bytes are taken, or the digest may be left out', async () => {
    await expectNoWhereTaken('post-policy-digest', 'post-digest/wrong', 'post-digest/none')
    await expectNoWhereTaken('presigned-put-digest', 'put-digest/wrong')
  })

  it('are a no where the digest is enforced but not reported later', async () => {
    expect((await observeLies('post-policy-digest', { change: withoutDigest })).verdict).toBe('no')
    expect((await observeLies('presigned-put-digest', { change: withoutDigest })).verdict).toBe('no')
  })
})

describe('the row presigned-put', () => {
  it('is a yes where it is taken and a forged signature refused', async () => {
    expect((await observe('presigned-put', store)).verdict).toBe('yes')
  })

  it('is a no where it is refused, or forged ones are taken', async () => {
    const refused = await observeLies('presigned-put', {
      answer: ({ query }) => ('X-Amz-Signature' in query ? refusal(403) : null),
    })
    expect(refused.verdict).toBe('no')
    expect(await taken('presigned-put', 'put/forged')).toBe('no')
  })
})

describe('the row presigned-put-bounds', () => {
  it('is a yes where it is bound on all sides', async () => {
    expect((await observe('presigned-put-bounds', store)).verdict).toBe('yes')
  })

  it('is a no where it is open on any one of them', async () => {
    const forgeries = ['shorter', 'longer', 'type', 'elsewhere', 'expired']
    await expectNoWhereTaken('presigned-put-bounds', ...forgeries.map((name) => `put-bounds/${name}`))
  })
})

describe('the row presigned-put-copy (the copy hole)', () => {
  it('is a no, and reported as an attack, where another object was copied', async () => {
    expect(await observe('presigned-put-copy', store)).toMatchObject({
      verdict: 'no',
      exploited: true,
      seen: expect.stringContaining("another object's bytes were copied") as unknown,
    })
  })

  it('is a no, but no attack, where the header is taken and does nothing', async () => {
    const ignoring = await observeLies('presigned-put-copy', {
      answer: async ({ headers, key, body }, owner) => {
        if (!headers.has('x-amz-copy-source')) return null
        await owner.send({ method: 'PUT', key, body })
        return new Response(null)
      },
    })
    expect(ignoring.verdict).toBe('no')
    expect(ignoring.exploited).toBeUndefined()
  })

  it('is a yes where unsigned headers are refused', async () => {
    expect((await observeStrict('presigned-put-copy')).verdict).toBe('yes')
  })
})

describe('the row presigned-put-headers', () => {
  it('is a no where an ACL can be added', async () => {
    expect((await observe('presigned-put-headers', store)).verdict).toBe('no')
  })

  it('is a yes where unsigned headers are refused', async () => {
    expect((await observeStrict('presigned-put-headers')).verdict).toBe('yes')
  })
})

describe('the row signed-download', () => {
  it('is a yes where it is bound and answered as an attachment', async () => {
    expect((await observe('signed-download', store)).verdict).toBe('yes')
  })

  it('is a no where it is open, or shown in the browser', async () => {
    const ofDownload = ({ query }: SeenRequest) => 'X-Amz-Signature' in query
    const open = await observeLies('signed-download', {
      change: (response, request) =>
        ofDownload(request) && response.status === 403 ? new Response('bytes') : response,
    })
    expect(open.verdict).toBe('no')
    const shown = await observeLies('signed-download', {
      change: (response, request) =>
        ofDownload(request) && response.status === 200 ? new Response('a page') : response,
    })
    expect(shown).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('not answered as an attachment') as unknown,
    })
  })
})
