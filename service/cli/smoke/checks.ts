import { randomBytes, randomInt } from 'node:crypto'
import type { DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import { digestOfHex, recordKey, versionKey } from '../../documents/document-key.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { directToLoopback } from '../../wire/loopback.ts'
import type { Digest, VersionRef } from '../../wire/names.ts'
import { broken, type Check, defineCheck, holds, Missing, type Observation } from '../checks/check.ts'

/** A type of its own, so that no one takes one that stayed for one of their documents. */
const markerType = 'smoke-test'

/** A record outlives its versions, so the names repeat; runs at the same moment rarely have the same. */
const markerNames = 64

/** Large enough to be streamed by the service (`limits.wholeReadBytesMax`), small enough for any time of day. */
const markerBytes = 512 * 1024

/** A version of this run alone, with bytes that no other has. */
export interface Marker extends VersionRef {
  bytes: Uint8Array<ArrayBuffer>
  /** The tag, other than `latest`, that the run moves. */
  tag: string
}

/** Returns a new marker of a tenant. */
export function newMarker(tenant: string): Marker {
  const bytes = new Uint8Array(randomBytes(markerBytes))
  return {
    ...{ tenant, type: markerType, name: `marker-${randomInt(markerNames)}.bin` },
    ...{ bytes, digest: digestOf(bytes), tag: `smoke-${randomBytes(4).toString('hex')}` },
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return digestOfHex(Bun.SHA256.hash(bytes, 'hex'))
}

/** What a smoke test is run on. */
export interface SmokeScene {
  url: string
  documents: DocumentsClient
  marker: Marker
  /** The bucket behind the service, and the prefix of all its keys; `null` where no variable names it. */
  bucket: { store: ObjectStore; prefix: string } | null
  signal: AbortSignal
}

/** Checks that look into the store; the others ask the service alone. */
export const objectChecks: readonly string[] = ['smoke.objects', 'smoke.objects-gone']

const ready = defineCheck({ id: 'smoke.ready', sentence: 'the service is ready', run: isReady })

const uploaded = defineCheck({
  id: 'smoke.upload',
  sentence: 'a document is uploaded, and its version is the SHA-256 of its bytes',
  needs: { ready },
  run: upload,
})

const tagged = defineCheck({
  id: 'smoke.tag',
  sentence: 'a tag can be put on it, and leads to it',
  needs: { uploaded },
  run: tag,
})

const deleted = defineCheck({
  id: 'smoke.delete',
  sentence: 'it can be deleted, and is gone',
  needs: { uploaded },
  after: ['smoke.list', 'smoke.download', 'smoke.direct', 'smoke.tag', 'smoke.objects'],
  run: remove,
})

/** What an operator wants to know after a deployment, in the order of a document's life. */
export const smokeChecks: readonly Check<SmokeScene>[] = [
  ready,
  uploaded,
  defineCheck({
    id: 'smoke.list',
    sentence: 'the listing of the tenant has it, once and in its size',
    needs: { uploaded },
    run: list,
  }),
  defineCheck({
    id: 'smoke.download',
    sentence: 'its bytes come back through the service, by digest and by latest',
    needs: { uploaded },
    run: download,
  }),
  defineCheck({
    id: 'smoke.direct',
    sentence: 'its bytes come back directly from the store, by a signed URL',
    needs: { uploaded },
    run: downloadDirect,
  }),
  tagged,
  defineCheck({
    id: 'smoke.objects',
    sentence: 'its object and its record lie in the store under the prefix, with the bytes of its digest',
    needs: { tagged },
    run: objectsAreThere,
  }),
  deleted,
  defineCheck({
    id: 'smoke.objects-gone',
    sentence: 'nothing of it is left in the store',
    needs: { deleted },
    run: objectsAreGone,
  }),
]

async function isReady({ url, signal }: SmokeScene): Promise<Observation> {
  const { status } = await fetch(new URL('/readyz', url), {
    ...directToLoopback(url),
    signal,
    redirect: 'error',
  })
  return status === 200 ? holds('200 at /readyz') : broken(`${status} at /readyz`, 'should be 200')
}

async function upload({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  const contentType = 'application/octet-stream'
  const { document, created, via } = await documents.put(marker, marker.bytes, { contentType, signal })
  const seen = `${document.type}/${document.name} ${document.digest}, through the ${via}`
  if (document.digest !== marker.digest) return broken(seen, `should be ${marker.digest}`)
  return created ? holds(seen) : broken(seen, 'should have been new')
}

async function list({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  const { type, name } = marker
  const rows = await Array.fromAsync(documents.list({ type, name, signal }))
  const seen = `${rows.length} of ${type}/${name}: ${rows.map(({ digest, size }) => `${digest} (${size} bytes)`)}`
  const [row] = rows
  const same = rows.length === 1 && row?.digest === marker.digest && row.size === marker.bytes.length
  return same ? holds(seen) : broken(seen, `should be ${marker.digest} alone`)
}

async function download({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  const { type, name, digest } = marker
  const byDigest = await documents.getBytes({ type, name, digest }, { signal })
  const byLatest = await documents.getBytes({ type, name, tag: 'latest' }, { signal })
  return sameBytes(marker, [byDigest.bytes, byLatest.bytes])
}

async function downloadDirect({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  const { type, name, digest } = marker
  const { stream, via, fallbackReason } = await documents.get(
    { type, name, digest },
    { direct: true, signal },
  )
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  if (via === 'store') return sameBytes(marker, [bytes])
  return broken(`came through the service: ${fallbackReason}`, 'the store should be reachable from here')
}

function sameBytes(marker: Marker, bodies: readonly Uint8Array[]): Observation {
  const found = bodies.map(digestOf)
  const seen = `${bodies.map(({ length }) => `${length} bytes`).join(' and ')} of ${[...new Set(found)].join(', ')}`
  return found.every((digest) => digest === marker.digest)
    ? holds(seen)
    : broken(seen, `not ${marker.digest}`)
}

async function tag({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  await documents.putTag(marker, marker.tag, marker.digest, { signal })
  const { digest } = await documents.getTag(marker, marker.tag, { signal })
  const seen = `${marker.tag} → ${digest}`
  return digest === marker.digest ? holds(seen) : broken(seen, `should be ${marker.digest}`)
}

async function remove({ documents, marker, signal }: SmokeScene): Promise<Observation> {
  const { type, name, digest } = marker
  await removeMarker({ documents, marker, signal })
  const status = await documents.head({ type, name, digest }, { signal }).then(
    () => 200,
    (error: unknown) => {
      if (error instanceof ProblemError) return error.status
      throw error
    },
  )
  return status === 404 ? holds('404 after it') : broken(`${status} after it`, 'should be 404')
}

/** @throws {Missing} where the token may not delete. */
export async function removeMarker({
  documents,
  marker,
  signal,
}: Pick<SmokeScene, 'documents' | 'marker' | 'signal'>): Promise<void> {
  try {
    await documents.deleteTag(marker, marker.tag, { signal }).catch(unlessAbsent)
    await documents.deleteVersion(marker, { signal })
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 403) throw error
    throw new Missing('a token with documents:write and documents:admin')
  }
}

function unlessAbsent(error: unknown): void {
  if (!(error instanceof ProblemError) || error.status !== 404) throw error
}

/** Checks the objects in the bucket itself, with whole keys and independently of the service. */
async function objectsAreThere({ bucket, marker, signal }: SmokeScene): Promise<Observation> {
  const { store, prefix } = given(bucket)
  const keys = [versionKey(marker), recordKey(marker)].map((key) => prefix + key)
  const found = await Promise.all(keys.map((key) => store.head(key, { signal })))
  const absent = keys.filter((_, at) => found[at] === null)
  const seen = keys.filter((_, at) => found[at] !== null).join('\n') || 'nothing'
  if (absent.length > 0) return broken(seen, `should also be ${absent.join(', ')}`)
  const object = await store.get(prefix + versionKey(marker), { signal })
  const digest = object && digestOf(new Uint8Array(await new Response(object.body).arrayBuffer()))
  return digest === marker.digest
    ? holds(seen)
    : broken(`${seen}\nof ${digest}`, `should be ${marker.digest}`)
}

/** Checks that the bucket does not hold the version any more; the record of its name stays. */
async function objectsAreGone({ bucket, marker, signal }: SmokeScene): Promise<Observation> {
  const { store, prefix } = given(bucket)
  const key = prefix + versionKey(marker)
  return (await store.head(key, { signal })) ? broken(key, 'should be nothing') : holds('nothing')
}

/** @throws {Missing} */
function given(bucket: SmokeScene['bucket']): NonNullable<SmokeScene['bucket']> {
  if (bucket === null) throw new Missing('the S3_* variables of the store behind the service')
  return bucket
}
