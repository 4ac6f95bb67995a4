import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../../compose/servers/free-port.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { startIssuerForTests } from '../../support/issuers/issuer-for-tests.ts'
import { refusalOf } from '../../support/service/caller.ts'
import { ownChildService } from '../../support/service/own-service.ts'
import { probed } from '../../support/service/probed.ts'
import { environmentFor } from '../../support/service/service-for-tests.ts'
import { freshBucket, narrowServiceKey } from '../../support/stores/bucket.ts'
import { asService } from '../../support/stores/service-key.ts'
import { storeForTests } from '../../support/stores/store.ts'

setDefaultTimeout(120_000)

/** Ceph RGW 16.2, which has no conditions of writes in a bucket that keeps versions. */
const store = await storeForTests('ceph-rgw')
const bucket = await freshBucket(store)
const settings = createBucketSettings(store)
await settings.putVersioning(bucket)
await narrowServiceKey(store, bucket)
settings.close()
const alone = await ownChildService({ store, bucket, env: { SINGLE_REPLICA: 'true' } })
const issuer = await startIssuerForTests()
afterAll(() => issuer.stop())

const main = fileURLToPath(new URL('../../../service/main.ts', import.meta.url))

/** Uploads as this subject. */
async function upload(name: string, subject: string, contentType: string) {
  const token = await alone.service.token({ sub: subject })
  return fetch(`${alone.service.url}/v1/tenants/acme/documents/bundles/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
    body: 'the same bytes',
  })
}

describe('the service on a store without conditions', () => {
  it('ends with 78 after one error that says what was found and what to do', async () => {
    const child = Bun.spawn([process.execPath, main], {
      env: {
        ...environmentFor({ connection: { ...asService(store), bucket }, issuer }),
        PORT: String(await freePort()),
      },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const printed = await new Response(child.stdout).text()
    expect(await child.exited).toBe(78)
    const lines = printed.trim().split('\n')
    const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')
    expect(errors).toEqual([expect.objectContaining({ event: 'store.unfit' })])
    const { problem } = errors[0]
    expect(problem).toContain('conditional-put (right: 200; on an existing key: 200)')
    expect(problem).toContain('conditional-overwrite (right: 412 PreconditionFailed')
    expect(problem).toContain('without versioning')
    expect(problem).toContain('SINGLE_REPLICA=true')
  })
})

describe('the only replica on a store without conditions', () => {
  it('keeps running once the store was probed', async () => {
    await probed(alone.service)
    expect((await alone.call('/readyz')).status).toBe(200)
    expect(alone.service.logs().filter(({ level }) => level === 'error')).toEqual([])
  })

  it('keeps who created a version, when and as what type, when the same bytes are uploaded again', async () => {
    const first = await upload('again', 'alice', 'text/plain')
    const created = await first.json()
    expect(first.status).toBe(201)
    const second = await upload('again', 'bob', 'text/csv')
    expect(second.status).toBe(200)
    const { createdBy, createdAt, contentType } = await second.json()
    expect({ createdBy, createdAt, contentType }).toEqual({
      ...{ createdBy: created.createdBy, createdAt: created.createdAt, contentType: 'text/plain' },
    })
    const download = await alone.call(`bundles/again/versions/${created.digest}`)
    expect(download.headers.get('content-type')).toStartWith('text/plain')
    await download.body?.cancel()
  })

  it('lets one of many racing uploads of the same bytes create the version', async () => {
    const racers = Array.from({ length: 8 }, (_, racer) => upload('raced', `racer-${racer}`, 'text/plain'))
    const answers = await Promise.all(racers)
    const documents = await Promise.all(answers.map((answer) => answer.json()))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
    expect(new Set(documents.map(({ createdBy }) => createdBy)).size).toBe(1)
  })

  it('moves a tag with If-Match, and refuses a stale one', async () => {
    const { digest } = await (await upload('tagged', 'alice', 'text/plain')).json()
    const headers = { 'content-type': 'application/json' }
    const move = { method: 'PUT', headers, body: JSON.stringify({ digest }) }
    expect((await alone.call('bundles/tagged/tags/production', move)).status).toBe(201)
    const tag = await alone.call('bundles/tagged/tags/production')
    const ifMatch = tag.headers.get('etag') ?? ''
    const conditional = { ...move, headers: { ...headers, 'if-match': ifMatch } }
    expect((await alone.call('bundles/tagged/tags/production', conditional)).status).toBe(200)
    const stale = await alone.call('bundles/tagged/tags/production', conditional)
    expect(stale.status).toBe(412)
    expect(await refusalOf(stale)).toStartWith('412 ')
  })
})
