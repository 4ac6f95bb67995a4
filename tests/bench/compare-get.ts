import { recordKey, versionKey } from '../../service/documents/document-key.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { environmentFor } from '../support/service/service-for-tests.ts'
import type { Comparison, Side, Target, Unit, Work } from './comparison.ts'
import { runBareClient } from './run-bare-client.ts'
import type { Stage } from './stage.ts'
import { runWrk, type WrkLoad } from './wrk.ts'

export interface GetOptions {
  /** Of the document, such as `64 KiB`. */
  title: string
  size: number
  connections: number
  unit: Unit & ('requests' | 'MiB')
  targets: readonly Target[]
}

/**
 * One document, read again and again: by its digest and by `latest`; and from the store itself, by a signed URL, as well as
 * through what else could stand in this place.
 */
export async function compareGet(stage: Stage, options: GetOptions): Promise<Comparison> {
  const { size, connections, unit } = options
  const bytes = await Bun.file(await stage.randomFile(`get-${size}`, size)).bytes()
  const digest = digestOf(bytes)
  const ref = { tenant: 'acme', type: 'bench', name: `get-${size}`, digest }
  const key = versionKey(ref)
  const document = `/v1/tenants/acme/documents/bench/${ref.name}`
  // Uploaded as users do: the store has the version and the record.
  await stage.upload(document, bytes)

  const { storeOrigin: store, token } = stage
  const { versityGw, nginx } = await stage.gateways()
  const direct = stage.signedPath('GET', key)
  const relay = await stage.startProgram('pass-through.ts', { PASS_URL: `${store}${direct}` })
  const storeless = await stage.startProgram('storeless-service.ts', environmentFor(stage.service), '/livez')
  await stage.upload(document, bytes, storeless.origin)
  const service = { origin: stage.service.url, token }
  const side = async (title: string, load: Asked, pid?: number): Promise<Side> => {
    const full: Omit<WrkLoad, 'seconds'> = {
      method: 'GET',
      connections,
      origin: load.origin,
      paths: [load.path],
    }
    if (load.token !== undefined) full.token = load.token
    await requireBytes(full, bytes)
    return { title, pid, run: (seconds) => workOf({ ...full, seconds }, stage.folder, { size, unit }) }
  }
  const { pid } = stage.service.process
  const sides: Side[] = [
    await side('store', { origin: store, path: direct }),
    await side('service', { ...service, path: `${document}/versions/${digest}` }, pid),
    await side('service by latest', { ...service, path: document }, pid),
    await side(
      'VersityGW',
      { origin: versityGw.origin, path: versityGw.signedPath('GET', key) },
      versityGw.pid,
    ),
    await side('nginx', { origin: nginx.origin, path: direct }, nginx.pid),
    await side('a bare relay', { origin: relay.origin, path: '/' }, relay.pid),
    await side(
      'the service without a store',
      { ...service, origin: storeless.origin, path: `${document}/versions/${digest}` },
      storeless.pid,
    ),
  ]
  if (unit === 'requests') {
    const record = await stage.bucket.stat(stage.fullKey(recordKey(ref)))
    const together = [
      {
        method: 'GET',
        urls: [store + stage.signedPath('GET', recordKey(ref))],
        headers: { 'if-none-match': record.etag },
      },
      { method: 'GET', urls: [store + direct], headers: {} },
    ] as const
    sides.push({
      title: 'a bare client: record and version',
      run: (seconds) =>
        runBareClient({ steps: together, together: true, connections, seconds }, stage.folder),
    })
  }
  const named = `GET ${options.title}, ${connections} connection${connections === 1 ? '' : 's'}`
  const close = async () => {
    await relay.stop()
    await storeless.stop()
  }
  return { operation: 'get', title: named, unit, sides, targets: options.targets, close }
}

interface Asked {
  origin: string
  path: string
  token?: string
}

async function workOf(
  load: WrkLoad,
  folder: string,
  { size, unit }: { size: number; unit: Unit },
): Promise<Work> {
  const { requests, bytes, seconds } = await runWrk(load, folder)
  if (bytes < requests * size) throw new Error('an answer was shorter than the document')
  return { amount: unit === 'MiB' ? bytes / 2 ** 20 : requests, seconds }
}

/** wrk looks at no body: one answer of each side is compared here. */
async function requireBytes(
  { origin, paths: [path], token }: Pick<WrkLoad, 'origin' | 'paths' | 'token'>,
  expected: Uint8Array,
): Promise<void> {
  const response = await fetch(`${origin}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  const found = await response.bytes()
  if (response.status !== 200 || Buffer.compare(found, expected) !== 0) {
    throw new Error(`${origin} answered ${response.status} with other bytes than the document's`)
  }
}
