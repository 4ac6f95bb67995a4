import { describe, expect, it } from 'bun:test'
import { createProbeClient } from '../../../service/object-store/s3/probe-client.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { refusal } from '../../support/stores/lying-store.ts'
import { observe, useLies, useStore } from '../../support/stores/probe-under-test.ts'

const store = await useStore()
const observeLies = useLies(store)

/** A fresh bucket that was set up by one more call, such as `PUT ?versioning`. */
async function bucketWith(query: string, body: string) {
  const { owner, connectionsMax } = store
  const bucket = await freshBucket(owner)
  const md5 = new Bun.CryptoHasher('md5').update(body).digest('base64')
  const put = await createProbeClient({ ...owner, bucket, connectionsMax }).send({
    method: 'PUT',
    key: null,
    query: { [query]: '' },
    headers: { 'content-md5': md5 },
    body,
  })
  expect(put.status).toBe(200)
  return { ...store, bucket }
}

function expiry(ofPrefix: string, status: string): string {
  const filter = `<Filter><Prefix>${ofPrefix}</Prefix></Filter><Expiration><Days>1</Days></Expiration>`
  return `<LifecycleConfiguration><Rule><ID>a</ID><Status>${status}</Status>${filter}</Rule></LifecycleConfiguration>`
}

describe('the row multipart-abort', () => {
  it('is a yes where an aborted upload takes no more parts', async () => {
    expect((await observe('multipart-abort', store)).verdict).toBe('yes')
  })

  it('is a no where it does, or cannot be aborted', async () => {
    const late = await observeLies('multipart-abort', {
      change: (response, { query }) => ('partNumber' in query ? new Response(null) : response),
    })
    expect(late.verdict).toBe('no')
    const kept = await observeLies('multipart-abort', {
      answer: ({ method, query }) => (method === 'DELETE' && 'uploadId' in query ? refusal(405) : null),
    })
    expect(kept.verdict).toBe('no')
  })
})

describe('the row lifecycle', () => {
  it('is a yes where an active rule covers staging', async () => {
    expect(await observe('lifecycle', store)).toEqual({
      verdict: 'yes',
      seen: 'staging expires: yes, unfinished uploads: no',
    })
    const wholeBucket = await bucketWith('lifecycle', expiry('', 'Enabled'))
    expect((await observe('lifecycle', wholeBucket)).verdict).toBe('yes')
  })

  it('is a no where rules are for something else or off, and where there are none', async () => {
    const elsewhere = await bucketWith('lifecycle', expiry('logs/', 'Enabled'))
    expect((await observe('lifecycle', elsewhere)).verdict).toBe('no')
    const below = await bucketWith('lifecycle', expiry('docs/staging/acme/', 'Enabled'))
    expect((await observe('lifecycle', below)).verdict).toBe('no')
    const off = await bucketWith('lifecycle', expiry('docs/staging/', 'Disabled'))
    expect((await observe('lifecycle', off)).verdict).toBe('no')
    await createProbeClient({ ...off, ...store.owner }).send({
      method: 'DELETE',
      key: null,
      query: { lifecycle: '' },
    })
    expect(await observe('lifecycle', off)).toEqual({
      verdict: 'no',
      seen: '404 NoSuchLifecycleConfiguration',
    })
  })
})

describe('the row versioning', () => {
  it('is a yes where it is on, and a no where it never was', async () => {
    const versioned = await bucketWith(
      'versioning',
      '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
    )
    expect(await observe('versioning', versioned)).toEqual({ verdict: 'yes', seen: 'versioning Enabled' })
    expect(await observe('versioning', store)).toEqual({ verdict: 'no', seen: 'versioning off' })
  })
})

describe('the row object-lock', () => {
  it('is a yes where the bucket was made with it, and a no where it was not', async () => {
    const locked = { ...store, bucket: `test-${crypto.randomUUID()}` }
    const headers = { 'x-amz-bucket-object-lock-enabled': 'true' }
    await createProbeClient({ ...locked, ...store.owner }).send({ method: 'PUT', key: null, headers })
    expect(await observe('object-lock', locked)).toEqual({ verdict: 'yes', seen: 'object lock on' })
    expect((await observe('object-lock', store)).verdict).toBe('no')
  })
})

describe('the row cors', () => {
  const allowing = (origin: string) => ({
    answer: ({ method, headers }: { method: string; headers: Headers }) => {
      if (method !== 'OPTIONS') return null
      return headers.get('origin') === origin
        ? new Response(null, { headers: { 'access-control-allow-origin': origin } })
        : refusal(403, 'AccessForbidden')
    },
  })

  it('is a yes for an origin that the store allows, and for every origin with a star', async () => {
    const origin = 'https://documents.example:8443'
    expect((await observeLies('cors', allowing(origin), { origin })).verdict).toBe('yes')
    const star = new Response(null, { headers: { 'access-control-allow-origin': '*' } })
    expect((await observeLies('cors', { change: () => star.clone() }, { origin })).verdict).toBe('yes')
  })

  it('is a no for any other', async () => {
    expect(await observeLies('cors', allowing('https://documents.example'))).toEqual({
      verdict: 'no',
      seen: '403 AccessForbidden, allowed origin: none',
    })
  })
})
