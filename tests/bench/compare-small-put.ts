import { randomBytes } from 'node:crypto'
import { recordKey, versionKey } from '../../service/documents/document-key.ts'
import type { Comparison } from './comparison.ts'
import { runBareClient } from './run-bare-client.ts'
import type { Stage } from './stage.ts'
import { requestsOf, type WrkLoad } from './wrk.ts'

const size = 4096
const connections = 16
/** More than any side can store in a second here; from then on names come again, with other bytes. */
const namesPerSecond = 6000

/**
 * New bytes with every request. The store writes each under a key of its own. The service is asked twice: a
 * name for each upload, which writes a version and a record; and one name for all, where records that are written at
 * the same time are one.
 */
export async function compareSmallPut(stage: Stage): Promise<Comparison> {
  const bodyFile = await stage.randomFile('put-small', size)
  const load = { method: 'PUT', connections, bodyFile } as const
  const service = { ...load, origin: stage.service.url, token: stage.token }
  const { versityGw } = await stage.gateways()
  const recordFile = await stage.randomFile('record', await recordSizeIn(stage))
  const { pid } = stage.service.process

  const workOf = (side: WrkLoad) => requestsOf(side, stage.folder)
  const signed = (seconds: number, sign: (key: string) => string) =>
    namesFor(seconds).map((name) => sign(versionKey(versionOf(name))))
  return {
    operation: 'put',
    title: `PUT 4 KiB, ${connections} connections`,
    unit: 'requests',
    sides: [
      {
        title: 'store',
        run(seconds) {
          const paths = signed(seconds, (key) => stage.signedPath('PUT', key))
          return workOf({ ...load, origin: stage.storeOrigin, paths, seconds })
        },
      },
      {
        title: 'service',
        pid,
        run: (seconds) => workOf({ ...service, paths: namesFor(seconds).map(documentPath), seconds }),
      },
      {
        title: 'service, all under one name',
        pid,
        run: (seconds) => workOf({ ...service, paths: namesFor(0).map(documentPath), seconds }),
      },
      {
        title: 'VersityGW',
        pid: versityGw.pid,
        run(seconds) {
          const paths = signed(seconds, (key) => versityGw.signedPath('PUT', key))
          return workOf({ ...load, origin: versityGw.origin, paths, seconds })
        },
      },
      {
        title: 'a bare client: version, then record',
        run(seconds) {
          const refs = namesFor(seconds).map(versionOf)
          const urls = (keyOf: typeof versionKey) =>
            refs.map((ref) => stage.storeOrigin + stage.signedPath('PUT', keyOf(ref)))
          const step = { method: 'PUT', headers: { 'if-none-match': '*' }, body: bodyFile } as const
          const steps = [
            { ...step, urls: urls(versionKey) },
            { ...step, urls: urls(recordKey), body: recordFile },
          ]
          return runBareClient({ steps, together: false, connections, seconds }, stage.folder)
        },
      },
    ],
    targets: [
      { side: 'service', than: 'a bare client: version, then record', rateMin: 0.85 },
      { side: 'service', than: 'store', rateMin: 0.5 },
      { side: 'service, all under one name', than: 'store', rateMin: 0.8 },
    ],
  }
}

/** Bytes of the record of a document with one version. */
async function recordSizeIn(stage: Stage): Promise<number> {
  const [name = ''] = namesFor(0)
  await stage.upload(documentPath(name), new TextEncoder().encode(name))
  const record = recordKey({ tenant: 'acme', type: 'bench-put', name })
  return (await stage.bucket.stat(stage.fullKey(record))).size
}

/** Names that were never used; at least one. */
function namesFor(seconds: number): string[] {
  const run = randomBytes(8).toString('hex')
  return Array.from({ length: seconds * namesPerSecond + 1 }, (_, at) => `${run}-${at}`)
}

function documentPath(name: string): string {
  return `/v1/tenants/acme/documents/bench-put/${name}`
}

/** The same depth and length of key as the service's; the store does not care what the digest is. */
function versionOf(name: string) {
  const digest = `sha256:${'0'.repeat(64)}` as const
  return { tenant: 'acme', type: 'bench-put-store', name, digest }
}
