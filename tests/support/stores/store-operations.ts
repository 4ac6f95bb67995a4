import { PutObjectLegalHoldCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3'
import { sweep } from '../../../service/documents/maintenance/sweeper.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import type { FindingId } from '../../../service/object-store/probe/finding.ts'
import { probeStore } from '../../../service/object-store/probe/probe.ts'
import { createS3Client } from '../../../service/object-store/s3/client.ts'
import type { S3Connection } from '../../../service/object-store/s3/connection.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { type ServiceOperation, serviceRights } from '../../../service/provisioning/service-rights.ts'
import { chunked, put, refusalOf } from '../service/caller.ts'
import { digestOf, MiB, randomDocument } from '../service/sample-documents.ts'
import type { ServiceForTests } from '../service/service-for-tests.ts'
import { type TicketCalls, ticketCalls } from '../service/ticket-calls.ts'

const prefix = 'docs/'

/** Everything that the service does with its bucket; each resolves, or fails and says what was not so. */
export interface StoreOperations {
  /** Those of the table of rights, by name. */
  byName: Record<ServiceOperation, () => Promise<void>>
  /** Those that need no right of their own. */
  others: Record<string, () => Promise<void>>
  close(): void
}

/**
 * @param service on the bucket, with the key whose rights are in question.
 * @param owner the same bucket with a key that may do everything: it prepares and looks after.
 * @param missing essential rows of the probe that are a no in this bucket.
 */
export async function storeOperations(
  service: ServiceForTests,
  owner: S3Connection,
  missing: readonly FindingId[] = [],
): Promise<StoreOperations> {
  const tickets = await ticketCalls(service)
  const connection = { ...service.connection, connectionsMax: 8 }
  const own = createS3ObjectStore(connection)
  const owners = createS3ObjectStore(owner)
  const client = createS3Client(owner)

  async function abortUpload(): Promise<void> {
    const key = `${prefix}staging/acme/${crypto.randomUUID()}`
    const upload = await own.startMultipart(key, { contentType: 'text/plain' })
    await upload.uploadPart(new Uint8Array(5 * MiB))
    const [unfinished] = await owners.listUnfinished(key)
    if (!unfinished) throw new Error('nothing was begun')
    await own.abortUnfinished(key, unfinished.uploadId)
    expectSame((await owners.listUnfinished(key)).length, 0)
  }

  async function probeRow(id: FindingId): Promise<void> {
    const { findings } = await probeStore(connection, prefix)
    const finding = findings.find((row) => row.id === id)
    if (finding?.verdict !== 'yes') throw new Error(`${id}: ${finding?.verdict} (${finding?.seen})`)
  }

  async function deleteLocked(lock: (Key: string) => Promise<unknown>): Promise<void> {
    const name = crypto.randomUUID()
    const { digest } = await put(tickets.call, `bundles/${name}`, name)
    await lock(`${prefix}tenants/acme/documents/bundles/${name}/${String(digest).replace('sha256:', '')}`)
    const answer = await tickets.call(`bundles/${name}/versions/${digest}`, { method: 'DELETE' })
    expectSame(answer.status === 409 ? await refusalOf(answer) : answer.status, '409 version_locked')
  }

  const { bucket: Bucket } = owner
  return {
    byName: {
      ...documentOperations(tickets),
      'give up a large upload': abortUpload,
      'sweep leftovers': () => sweep(prefixed(own, prefix)).then(() => {}),
      'probe: lifecycle': () => probeRow('lifecycle'),
      'probe: versioning': () => probeRow('versioning'),
      'probe: object lock': () => probeRow('object-lock'),
      'refuse to delete a locked version': () =>
        deleteLocked((Key) => {
          const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 3_600_000) } as const
          return client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention }))
        }),
      'refuse to delete a version on legal hold': () =>
        deleteLocked((Key) =>
          client.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status: 'ON' } })),
        ),
    },
    others: {
      ...otherOperations(tickets),
      'be ready': () => statusOf(tickets.call('/readyz'), 200),
      'probe: nothing essential is missing': async () => {
        const { findings, left } = await probeStore(connection, prefix)
        const found = findings.filter(({ weight, verdict }) => weight === 'essential' && verdict !== 'yes')
        expectSame([...found.map(({ id }) => id), ...left], [...missing])
      },
    },
    close() {
      own.close()
      owners.close()
      client.destroy()
    },
  }
}

/** Runs all of them. @returns those that failed, and why. */
export async function failuresOf({ byName, others }: StoreOperations): Promise<string[]> {
  const failures: string[] = []
  for (const [name, run] of Object.entries({ ...byName, ...others })) {
    await run().catch((error: Error) => failures.push(`${name}: ${error.message}`))
  }
  return failures
}

function documentOperations({ call }: TicketCalls) {
  const uploaded = async () => {
    const name = crypto.randomUUID()
    return { name, digest: (await put(call, `bundles/${name}`, name)).digest }
  }
  return {
    async upload() {
      await uploaded()
    },
    async download() {
      const { name, digest } = await uploaded()
      const answer = await call(`bundles/${name}/versions/${digest}`)
      expectSame(digestOf(await answer.bytes()), digest)
    },
    async 'list documents'() {
      const { name } = await uploaded()
      const answer = await call(`?type=bundles&name=${name}`)
      const { documents } = (await answer.json()) as { documents?: unknown[] }
      expectSame(documents?.length, 1)
    },
    async 'delete a version'() {
      const { name, digest } = await uploaded()
      await statusOf(call(`bundles/${name}/versions/${digest}`, { method: 'DELETE' }), 204)
      await statusOf(call(`bundles/${name}/versions/${digest}`), 404)
    },
  }
}

function otherOperations(tickets: TicketCalls) {
  const { call } = tickets
  return {
    async 'move, read and remove a tag'() {
      const name = crypto.randomUUID()
      const { digest } = await put(call, `bundles/${name}`, name)
      const headers = { 'content-type': 'application/json' }
      const move = { method: 'PUT', headers, body: JSON.stringify({ digest }) }
      await statusOf(call(`bundles/${name}/tags/production`, move), 201)
      const ifMatch = (await call(`bundles/${name}/tags/production`)).headers.get('etag') ?? ''
      const again = { ...move, headers: { ...headers, 'if-match': ifMatch } }
      await statusOf(call(`bundles/${name}/tags/production`, again), 200)
      await statusOf(call(`bundles/${name}/tags/production`, { method: 'DELETE' }), 204)
    },
    async 'move latest on'() {
      const name = crypto.randomUUID()
      for (const body of ['A', 'B', 'A']) await put(call, `bundles/${name}`, body)
      expectSame(await (await call(`bundles/${name}`)).text(), 'A')
    },
    async 'upload by ticket, and complete'() {
      const name = crypto.randomUUID()
      const bytes = randomDocument(100_000)
      await statusOf(tickets.complete(name, await tickets.uploaded(name, bytes)), 201)
      expectSame(digestOf(await (await call(`bundles/${name}`)).bytes()), digestOf(bytes))
    },
    async 'upload what has to be staged in parts'() {
      const name = crypto.randomUUID()
      const bytes = randomDocument(17 * MiB)
      await statusOf(call(`bundles/${name}`, { method: 'PUT', body: chunked(bytes) }), 201)
      expectSame(digestOf(await (await call(`bundles/${name}`)).bytes()), digestOf(bytes))
    },
    async 'download by a signed URL'() {
      const name = crypto.randomUUID()
      const { digest } = await put(call, `bundles/${name}`, name)
      const answer = await call(`bundles/${name}/versions/${digest}/downloads`, { method: 'POST' })
      const { url } = (await answer.json()) as { url: string }
      expectSame(await (await fetch(url)).text(), name)
    },
  }
}

async function statusOf(answer: Promise<Response>, status: number): Promise<void> {
  const response = await answer
  const text = await response.text()
  if (response.status !== status)
    throw new Error(`${response.status} instead of ${status}: ${text.slice(0, 200)}`)
}

function expectSame(seen: unknown, expected: unknown): void {
  if (!Bun.deepEquals(seen, expected))
    throw new Error(`${Bun.inspect(seen)} instead of ${Bun.inspect(expected)}`)
}

/** Takes each right of the service away in turn, and returns what is still possible although the table says it breaks. */
export async function rightsTooMany(
  operations: StoreOperations,
  grant: (rights: typeof serviceRights) => Promise<unknown>,
): Promise<string[]> {
  const unbroken: string[] = []
  for (const right of serviceRights) {
    await grant(serviceRights.filter(({ action }) => action !== right.action))
    const broken = await operations.byName[right.breaks]().then(
      () => false,
      () => true,
    )
    if (!broken) unbroken.push(`without ${right.action} it can still ${right.breaks}`)
  }
  await grant(serviceRights)
  return unbroken
}
