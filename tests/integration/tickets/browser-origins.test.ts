import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { provisionBucket } from '../../../service/provisioning/apply.ts'
import { jsonOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { freshBucket } from '../../support/stores/bucket.ts'

setDefaultTimeout(600_000)

/** One that the stores of the tests take (tests/support/stores/store.ts), and one that no store allows. */
const ours = 'https://ui.example'
const other = 'https://elsewhere.example'
const prefix = 'docs/'

const { service, call } = await ownService()
await provisionBucket(service.owner, { bucket: service.connection.bucket, prefix }, [ours])

function addressOf(bucket: string, key = ''): string {
  return `${service.connection.endpoint}/${bucket}${key}`
}

/**
 * Whether the store says yes when a browser asks before it sends (Fetch standard, "CORS-preflight fetch").
 * SeaweedFS refuses with a reset connection, which is a no as well.
 */
async function isLetIn(
  origin: string,
  method: string,
  { bucket = service.connection.bucket, key = '', headers = '' } = {},
): Promise<boolean> {
  const asked = { origin, 'access-control-request-method': method }
  const answer = await fetch(addressOf(bucket, key), {
    method: 'OPTIONS',
    headers: headers === '' ? asked : { ...asked, 'access-control-request-headers': headers },
  }).catch(() => null)
  if (answer === null) return false
  await answer.body?.cancel()
  // A star stands for everything where no credentials are sent, as here.
  const allows = (what: string, name: string) =>
    (answer.headers.get(`access-control-allow-${what}`) ?? '')
      .toLowerCase()
      .split(/, ?/)
      .some((allowed) => allowed === '*' || allowed === name.toLowerCase())
  return (
    answer.ok &&
    answer.headers.get('access-control-allow-origin') === origin &&
    allows('methods', method) &&
    (headers === '' || headers.split(',').every((name) => allows('headers', name)))
  )
}

const object = { key: '/docs/staging/acme/x' }
const ofTicket = 'content-type,x-amz-checksum-sha256'

describe('the preflight of a browser to the store', () => {
  it('allows the pages of the UI to send the forms and PUTs of tickets, and to fetch', async () => {
    expect(await isLetIn(ours, 'POST')).toBeTrue()
    expect(await isLetIn(ours, 'PUT', { ...object, headers: ofTicket })).toBeTrue()
    expect(await isLetIn(ours, 'GET', object)).toBeTrue()
    expect(await isLetIn(ours, 'HEAD', object)).toBeTrue()
  })

  it('refuses the pages of every other origin, also one that begins or ends like ours', async () => {
    for (const origin of [other, `${ours}.attacker.example`, `${ours}:8443`, 'http://ui.example', 'null']) {
      for (const method of ['POST', 'PUT', 'GET']) {
        const at = method === 'POST' ? {} : object
        expect([origin, method, await isLetIn(origin, method, at)]).toEqual([origin, method, false])
      }
    }
  })

  it('refuses methods and headers that no ticket has, if the rules of the store can say so', async () => {
    const { kind } = service.connection
    // MinIO has one list of origins for the whole server, and nothing else to choose.
    const isFree = kind === 'minio'
    expect(await isLetIn(ours, 'DELETE', object)).toBe(isFree)
    expect(await isLetIn(ours, 'PUT', { ...object, headers: 'x-amz-copy-source' })).toBe(isFree)
  })

  it('knows no rule in a bucket for which none was set, unless all of the server lets them in', async () => {
    const bucket = await freshBucket(service.owner)
    const byServer = service.connection.kind !== 'ceph-rgw'
    expect(await isLetIn(ours, 'POST', { bucket })).toBe(byServer)
    expect(await isLetIn(other, 'POST', { bucket })).toBeFalse()
  })
})

describe('a request from a page to the store', () => {
  async function ticketFor(name: string, content: string): Promise<Ticket> {
    const response = await call(`definitions/${name}/uploads`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ digest: digestOf(content), size: content.length, contentType: 'text/plain' }),
    })
    expect(response.status).toBe(201)
    return (await jsonOf(response)) as unknown as Ticket
  }

  it('lets only the UI read the answer to an upload', async () => {
    for (const [origin, seen] of [
      [ours, ours],
      [other, null],
    ] as const) {
      const ticket = await ticketFor(`from-${new URL(origin).hostname}`, origin)
      const answer = await sendTicket(ticket, new TextEncoder().encode(origin), { headers: { origin } })
      expect(answer.ok).toBeTrue()
      expect(answer.headers.get('access-control-allow-origin')).toBe(seen)
    }
  })

  it('lets only the UI read a signed download', async () => {
    await call('definitions/a', { method: 'PUT', body: 'A' })
    const made = await call(`definitions/a/versions/${digestOf('A')}/downloads`, { method: 'POST' })
    const { url } = (await jsonOf(made)) as { url: string }
    const [toUs, toOthers] = await Promise.all(
      [ours, other].map((origin) => fetch(url, { headers: { origin } })),
    )
    expect(await toUs?.text()).toBe('A')
    expect(toUs?.headers.get('access-control-allow-origin')).toBe(ours)
    expect(toUs?.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('etag')
    expect(await toOthers?.text()).toBe('A')
    expect(toOthers?.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('provisionBucket with allowed origins', () => {
  const provision = (bucket: string, browserOrigins: string[]) =>
    provisionBucket(service.owner, { bucket, prefix }, browserOrigins)

  it('reports a store that accepts no such rule', async () => {
    const outcomes = await provision(await freshBucket(service.owner), [ours])
    expect(outcomes.filter(({ setting }) => setting === 'cors')).toMatchObject([
      { shouldBe: `browsers of ${ours} may use it`, done: service.connection.kind !== 'minio' },
    ])
  })

  it('replaces the rule that was there', async () => {
    if (service.connection.kind === 'minio') {
      // Its rule belongs to the server, and cannot be changed here.
      expect(await isLetIn(ours, 'GET', object)).toBeTrue()
      return
    }
    const bucket = await freshBucket(service.owner)
    await provision(bucket, [other])
    expect(await isLetIn(other, 'GET', { bucket, ...object })).toBeTrue()
    await provision(bucket, [ours])
    expect(await isLetIn(other, 'GET', { bucket, ...object })).toBeFalse()
    expect(await isLetIn(ours, 'GET', { bucket, ...object })).toBeTrue()
  })
})
