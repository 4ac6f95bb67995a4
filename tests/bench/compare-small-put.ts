import { randomBytes } from 'node:crypto'
import { versionKey } from '../../service/documents/document-key.ts'
import type { Comparison } from './comparison.ts'
import type { Stage } from './stage.ts'
import { requestsPerSecond, type WrkLoad } from './wrk.ts'

const size = 4096
/** More than any side can store in a second here; from then on names come again, with other bytes. */
const namesPerSecond = 6000

/**
 * New bytes with every request. The store writes each under a key of its own. The service is asked twice: a
 * name for each upload, where every one also reads and writes `latest`; and one name for all, where moves of
 * `latest` that come at the same time are written once.
 */
export async function compareSmallPut(stage: Stage, target: number): Promise<Comparison> {
  const bodyFile = await stage.randomFile('put-small', size)
  const load = { method: 'PUT', connections: 16, bodyFile } as const
  const service = { ...load, origin: stage.service.url, token: stage.token }

  const rateOf = (side: WrkLoad) => requestsPerSecond(side, stage.folder)
  return {
    operation: 'put',
    title: 'PUT 4 KiB, 16 connections',
    unit: 'requests/s',
    baseline: {
      run(seconds) {
        const keys = namesFor(seconds).map((name) => versionKey(versionOf(name)))
        const paths = keys.map((key) => stage.signedPath('PUT', key))
        return rateOf({ ...load, origin: stage.storeOrigin, paths, seconds })
      },
    },
    variants: [
      {
        title: 'a name each',
        target,
        run: (seconds) => rateOf({ ...service, paths: namesFor(seconds).map(documentPath), seconds }),
      },
      {
        title: 'one name',
        target,
        run: (seconds) => rateOf({ ...service, paths: namesFor(0).map(documentPath), seconds }),
      },
    ],
  }
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
