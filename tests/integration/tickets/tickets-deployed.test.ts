import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { folderForTests } from '../../support/folder.ts'
import { registerSecret } from '../../support/secrets.ts'
import { jsonOf, put, refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, MiB, randomDocument } from '../../support/service/sample-documents.ts'
import {
  issuerVariables,
  type SpawnedService,
  type SpawnOptions,
  serviceInChild,
} from '../../support/service/service-for-tests.ts'
import { type TicketCalls, ticketCalls } from '../../support/service/ticket-calls.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const running: SpawnedService[] = []

const folder = await folderForTests('tickets-deployed-')

afterAll(async () => {
  // Those that borrow the bucket and the issuer of another go first.
  for (const service of running.reverse()) await service.stop()
})

/** `service/main.ts`, once it has found out what its store can do. */
async function deployed(
  options: SpawnOptions = {},
): Promise<{ service: SpawnedService; alice: TicketCalls }> {
  const service = await serviceInChild(options)
  running.push(service)
  return { service, alice: await known(await ticketCalls(service)) }
}

/** Waits until tickets are issued; before that, the answer says when to come back. */
async function known(alice: TicketCalls): Promise<TicketCalls> {
  await until(async () => {
    const response = await alice.ask('known', randomDocument(KiB))
    if (response.status === 201) return true
    expect(response.headers.get('retry-after')).not.toBeNull()
    expect(await refusalOf(response)).toBe('503 store_unknown')
    return false
  })
  return alice
}

/** Another replica: with the same store, bucket and issuer. */
function replicaOf({ connection, issuer }: SpawnedService): Record<string, string> {
  return { S3_BUCKET_DOCS: connection.bucket, ...issuerVariables(issuer) }
}

describe('tickets of the deployed service', () => {
  it('are for the public endpoint, and work there', async () => {
    const store = await storeForTests('minio')
    const publicEndpoint = store.endpoint.replace('127.0.0.1', 'localhost')
    const { service, alice } = await deployed({ store, env: { S3_PUBLIC_ENDPOINT: publicEndpoint } })
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('public', bytes)
    expect(new URL(ticket.url).origin).toBe(publicEndpoint)
    expect((await alice.complete('public', ticket)).status).toBe(201)
    const path = `bundles/public/versions/${digestOf(bytes)}/downloads`
    const { url } = await jsonOf(await alice.call(path, { method: 'POST' }))
    expect(new URL(String(url)).origin).toBe(publicEndpoint)
    const got = await fetch(String(url))
    expect<string>(digestOf(await got.bytes())).toBe(digestOf(bytes))
    // What it printed is searched for signatures, too: the ticket's and the URL's.
    expect(service.printed()).not.toContain('X-Amz-Signature')
    expect(service.printed()).not.toContain(
      new URL(String(url)).searchParams.get('X-Amz-Signature') ?? 'none',
    )
    expect(service.printed()).not.toContain(ticket.ticket)
  })

  it('are accepted by every replica with the same secret, and by none with another', async () => {
    const store = await storeForTests('minio')
    const first = await deployed({ store })
    const shared = replicaOf(first.service)
    const signingKey = crypto.randomUUID()
    registerSecret(signingKey)
    const second = await serviceInChild({ store, env: shared })
    const third = await serviceInChild({ store, env: { ...shared, TICKET_SIGNING_KEY: signingKey } })
    const fourth = await serviceInChild({ store, env: { ...shared, TICKET_SIGNING_KEY: signingKey } })
    running.push(second, third, fourth)
    const as = (service: SpawnedService) => ({ ...service, token: first.service.token })
    const calls = {
      second: await ticketCalls(as(second)),
      third: await ticketCalls(as(third)),
      fourth: await ticketCalls(as(fourth)),
    }
    const ticket = await first.alice.uploaded('replicas', randomDocument(KiB))
    expect(await refusalOf(await calls.third.complete('replicas', ticket))).toBe('422 ticket_invalid')
    expect((await calls.second.complete('replicas', ticket)).status).toBe(201)
    await known(calls.third)
    const overridden = await calls.third.uploaded('replicas', randomDocument(KiB))
    expect(await refusalOf(await calls.second.complete('replicas', overridden))).toBe('422 ticket_invalid')
    expect((await calls.fourth.complete('replicas', overridden)).status).toBe(201)
  })

  it('are understood by all replicas, and cursors too, while their key rotates away from the S3 secret', async () => {
    const old = await deployed({ store: await storeForTests('minio') })
    const secret = old.service.connection.secretAccessKey
    const fresh = crypto.randomUUID()
    registerSecret(fresh)
    const rotating = (keys: string) => deployed({ replicaOf: old.service, env: { TICKET_SIGNING_KEY: keys } })
    const during = await rotating(`${secret} ${fresh}`)
    const after = await rotating(`${fresh} ${secret}`)

    for (const name of ['one', 'two']) await put(old.alice.call, `bundles/${name}`, randomDocument(KiB))
    async function understands(maker: TicketCalls, other: TicketCalls): Promise<(string | number)[]> {
      const ticket = await maker.uploaded('rotation', randomDocument(KiB))
      const completed = await other.complete('rotation', ticket)
      const { nextCursor } = await jsonOf(await maker.call('?type=bundles&limit=1'))
      const next = await other.call(`?type=bundles&limit=1&cursor=${encodeURIComponent(String(nextCursor))}`)
      return [completed.ok ? completed.status : await refusalOf(completed), next.status]
    }
    expect(await understands(old.alice, during.alice)).toEqual([201, 200])
    expect(await understands(during.alice, old.alice)).toEqual([201, 200])
    expect(await understands(during.alice, after.alice)).toEqual([201, 200])
    expect(await understands(after.alice, during.alice)).toEqual([201, 200])
    expect(await understands(after.alice, old.alice)).toEqual(['422 ticket_invalid', 422])
  })
})

describe('the deployed service on a store behind TLS with a private authority', () => {
  it('stores and serves documents, tickets and signed downloads', async () => {
    const store = await storeForTests('minio-tls')
    const { ca = '' } = store
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, ca)
    expect(store.endpoint).toStartWith('https:')
    const { alice } = await deployed({ store, env: { S3_INSECURE: 'false', S3_CA_FILE: caFile } })
    // Buffered, streamed with a digest, and staged in parts.
    const [small, large] = [randomDocument(KiB), randomDocument(9 * MiB)]
    const repr = { 'repr-digest': `sha-256=:${Bun.SHA256.hash(large, 'base64')}:` }
    await put(alice.call, 'bundles/small', small)
    expect((await alice.call('bundles/large', { method: 'PUT', body: large, headers: repr })).status).toBe(
      201,
    )
    await put(alice.call, 'bundles/staged', large)
    expect(digestOf(await (await alice.call('bundles/small')).bytes())).toBe(digestOf(small))
    expect(digestOf(await (await alice.call('bundles/large')).bytes())).toBe(digestOf(large))
    expect(digestOf(await (await alice.call('bundles/staged')).bytes())).toBe(digestOf(large))
    expect((await jsonOf(await alice.call('?type=bundles'))).documents).toHaveLength(3)
    const bytes = randomDocument(300 * KiB)
    const ticket = await alice.uploaded('by-ticket', bytes)
    expect((await alice.complete('by-ticket', ticket)).status).toBe(201)
    const path = `bundles/by-ticket/versions/${digestOf(bytes)}/downloads`
    const { url } = await jsonOf(await alice.call(path, { method: 'POST' }))
    const got = await fetch(String(url), { tls: { ca } })
    expect<string>(digestOf(await got.bytes())).toBe(digestOf(bytes))
    const removed = await alice.call(`bundles/small/versions/${digestOf(small)}`, { method: 'DELETE' })
    expect(removed.status).toBe(204)
  })

  it('refuses the store without that authority', async () => {
    const { ca: _, ...unknown } = await storeForTests('minio-tls')
    const bucket = createS3ObjectStore({ ...unknown, bucket: 'any', connectionsMax: 1 })
    await expect(bucket.clock()).rejects.toMatchObject({ code: 'unavailable' })
    await bucket.clock().catch(() => {})
    bucket.close()
  })
})
