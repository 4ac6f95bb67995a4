import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { type Caller, callerOf, digestOf, put, refusalOf, reprDigestOf } from '../support/service/caller.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'

const body = '0123456789'
const etag = `"${digestOf(body)}"`
const version = `snapshots/ten/versions/${digestOf(body)}`

let service: InProcessService
let call: Caller

beforeAll(async () => {
  service = await serviceInProcess()
  call = await callerOf(service)
  await put(call, 'snapshots/ten', body)
  await put(call, 'snapshots/none', '')
}, 600_000)

afterAll(() => service.stop())

/** Status, `Content-Range` and body. */
async function ranged(range: string, headers: Record<string, string> = {}, path = version) {
  const response = await call(path, { headers: { range, ...headers } })
  return [response.status, response.headers.get('content-range'), await response.text()]
}

const whole = [200, null, body]

describe('Range', () => {
  it('from the first to the last byte of interest is 206 with just these', async () => {
    expect(await ranged('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    expect(await ranged('bytes=0-0')).toEqual([206, 'bytes 0-0/10', '0'])
    expect(await ranged('bytes=0-9')).toEqual([206, 'bytes 0-9/10', body])
  })

  it('without an end goes to the end, and one beyond it is cut', async () => {
    expect(await ranged('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await ranged('bytes=8-999999')).toEqual([206, 'bytes 8-9/10', '89'])
  })

  it('without a start counts from the end', async () => {
    expect(await ranged('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await ranged('bytes=-99')).toEqual([206, 'bytes 0-9/10', body])
  })

  it('gives the digest and the size of the whole, to verify against', async () => {
    const response = await call(version, { headers: { range: 'bytes=2-4' } })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag,
      'repr-digest': reprDigestOf(body),
      'document-size': '10',
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
  })

  it('that lies outside is 416 and says how many bytes there are', async () => {
    const response = await call(version, { headers: { range: 'bytes=10-' } })
    expect(response.headers.get('content-range')).toBe('bytes */10')
    expect(await refusalOf(response)).toBe('416 range_unsatisfiable')
    const suffix = await call(version, { headers: { range: 'bytes=-0' } })
    expect(suffix.headers.get('content-range')).toBe('bytes */10')
    expect(await refusalOf(suffix)).toBe('416 range_unsatisfiable')
  })

  it('of an empty document is 416, for it has no first byte', async () => {
    const path = `snapshots/none/versions/${digestOf('')}`
    const response = await call(path, { headers: { range: 'bytes=0-' } })
    expect(response.headers.get('content-range')).toBe('bytes */0')
    expect(await refusalOf(response)).toBe('416 range_unsatisfiable')
    const suffix = await call(path, { headers: { range: 'bytes=-5' } })
    expect(await refusalOf(suffix)).toBe('416 range_unsatisfiable')
  })

  it('that asks for several, is malformed, or counts in other units is ignored', async () => {
    expect(await ranged('bytes=0-1,4-5')).toEqual(whole)
    expect(await ranged('bytes=5-2')).toEqual(whole)
    expect(await ranged('bytes=a-b')).toEqual(whole)
    expect(await ranged('bytes=-')).toEqual(whole)
    expect(await ranged('bytes 0-1')).toEqual(whole)
    expect(await ranged('lines=0-1')).toEqual(whole)
    expect(await ranged(`bytes=0-${'9'.repeat(30)}`)).toEqual(whole)
  })

  it('holds for a document under a tag', async () => {
    expect(await ranged('bytes=1-2', {}, 'snapshots/ten')).toEqual([206, 'bytes 1-2/10', '12'])
  })

  it('of what is not there is 404', async () => {
    const path = `snapshots/ten/versions/${digestOf('not there')}`
    const response = await call(path, { headers: { range: 'bytes=0-' } })
    expect(await refusalOf(response)).toBe('404 document_not_found')
  })
})

describe('If-Range', () => {
  it('with the entity tag of the bytes lets the range count', async () => {
    expect(await ranged('bytes=2-4', { 'if-range': etag })).toEqual([206, 'bytes 2-4/10', '234'])
  })

  it('with another or a weak one, or a date, gives the whole', async () => {
    expect(await ranged('bytes=2-4', { 'if-range': '"other"' })).toEqual(whole)
    expect(await ranged('bytes=2-4', { 'if-range': `W/${etag}` })).toEqual(whole)
    expect(await ranged('bytes=2-4', { 'if-range': new Date().toUTCString() })).toEqual(whole)
  })

  it('that does not match makes even a range outside the whole', async () => {
    expect(await ranged('bytes=99-', { 'if-range': '"other"' })).toEqual(whole)
  })
})
