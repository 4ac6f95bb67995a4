import { describe, expect, it } from 'bun:test'
import { put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, reprDigestOf } from '../support/service/sample-documents.ts'

const body = '0123456789'
const etag = `"${digestOf(body)}"`
const version = `snapshots/ten/versions/${digestOf(body)}`

const { call } = await ownService()

await put(call, 'snapshots/ten', body)
await put(call, 'snapshots/none', '')

/** Status, `Content-Range` and body. */
async function ranged(range: string, headers: Record<string, string> = {}, path = version) {
  const response = await call(path, { headers: { range, ...headers } })
  return [response.status, response.headers.get('content-range'), await response.text()]
}

const whole = [200, null, body]

describe('Range', () => {
  it('gets 206 with just the bytes from its first to its last position', async () => {
    expect(await ranged('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    expect(await ranged('bytes=0-0')).toEqual([206, 'bytes 0-0/10', '0'])
    expect(await ranged('bytes=0-9')).toEqual([206, 'bytes 0-9/10', body])
  })

  it('reaches the end of the document without a last position, or with one beyond it', async () => {
    expect(await ranged('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await ranged('bytes=8-999999')).toEqual([206, 'bytes 8-9/10', '89'])
  })

  it('counts from the end of the document without a first position', async () => {
    expect(await ranged('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await ranged('bytes=-99')).toEqual([206, 'bytes 0-9/10', body])
  })

  it('gets the digest and the size of the whole document, to verify against', async () => {
    const response = await call(version, { headers: { range: 'bytes=2-4' } })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag,
      'repr-digest': reprDigestOf(body),
      'document-size': '10',
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
  })

  it('gets 416 and the size of the document when it lies outside', async () => {
    const response = await call(version, { headers: { range: 'bytes=10-' } })
    expect(response.headers.get('content-range')).toBe('bytes */10')
    expect(await refusalOf(response)).toBe('416 range_unsatisfiable')
    const suffix = await call(version, { headers: { range: 'bytes=-0' } })
    expect(suffix.headers.get('content-range')).toBe('bytes */10')
    expect(await refusalOf(suffix)).toBe('416 range_unsatisfiable')
  })

  it('gets 416 for an empty document, which has no first byte', async () => {
    const path = `snapshots/none/versions/${digestOf('')}`
    const response = await call(path, { headers: { range: 'bytes=0-' } })
    expect(response.headers.get('content-range')).toBe('bytes */0')
    expect(await refusalOf(response)).toBe('416 range_unsatisfiable')
    const suffix = await call(path, { headers: { range: 'bytes=-5' } })
    expect(await refusalOf(suffix)).toBe('416 range_unsatisfiable')
  })

  it('is ignored when it asks for several ranges, is malformed, or has another unit', async () => {
    expect(await ranged('bytes=0-1,4-5')).toEqual(whole)
    expect(await ranged('bytes=5-2')).toEqual(whole)
    expect(await ranged('bytes=a-b')).toEqual(whole)
    expect(await ranged('bytes=-')).toEqual(whole)
    expect(await ranged('bytes 0-1')).toEqual(whole)
    expect(await ranged('lines=0-1')).toEqual(whole)
    expect(await ranged(`bytes=0-${'9'.repeat(30)}`)).toEqual(whole)
  })

  it('works for a document under a tag', async () => {
    expect(await ranged('bytes=1-2', {}, 'snapshots/ten')).toEqual([206, 'bytes 1-2/10', '12'])
  })

  it('gets 404 for a version that does not exist', async () => {
    const path = `snapshots/ten/versions/${digestOf('not there')}`
    const response = await call(path, { headers: { range: 'bytes=0-' } })
    expect(await refusalOf(response)).toBe('404 document_not_found')
  })
})

describe('If-Range', () => {
  it('lets the range count for the entity tag of the bytes', async () => {
    expect(await ranged('bytes=2-4', { 'if-range': etag })).toEqual([206, 'bytes 2-4/10', '234'])
  })

  it('gets the whole document for another or a weak entity tag, or a date', async () => {
    expect(await ranged('bytes=2-4', { 'if-range': '"other"' })).toEqual(whole)
    expect(await ranged('bytes=2-4', { 'if-range': `W/${etag}` })).toEqual(whole)
    expect(await ranged('bytes=2-4', { 'if-range': new Date().toUTCString() })).toEqual(whole)
  })

  it('gets the whole document even for a range outside, when it does not match', async () => {
    expect(await ranged('bytes=99-', { 'if-range': '"other"' })).toEqual(whole)
  })
})
