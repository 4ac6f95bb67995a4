import { versionKey } from '../../service/documents/document-key.ts'
import type { Comparison } from './comparison.ts'
import type { Stage } from './stage.ts'
import { runWrk, type WrkLoad } from './wrk.ts'

export interface GetOptions {
  title: string
  size: number
  connections: number
  /** How the service is asked for the document; default: by its digest. */
  by?: 'digest' | 'latest'
  target: number
  /** Large answers are compared by bytes, since a run ends in the middle of some. */
  unit: 'requests/s' | 'MiB/s'
}

/** One document, read again and again; the store is asked for the same object by a signed URL. */
export async function compareGet(stage: Stage, options: GetOptions): Promise<Comparison> {
  const { size, by = 'digest' } = options
  const bytes = await Bun.file(await stage.randomFile(`get-${size}`, size)).bytes()
  const digest = `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}` as const
  const ref = { tenant: 'acme', type: 'bench', name: `get-${size}`, digest }
  await stage.bucket.write(stage.fullKey(versionKey(ref)), bytes)

  const document = `/v1/tenants/acme/documents/bench/${ref.name}`
  // The first read by `latest` notes the version in a record, as an upload does.
  const path = by === 'latest' ? document : `${document}/versions/${digest}`
  const load = { method: 'GET', connections: options.connections } as const
  const store = { ...load, origin: stage.storeOrigin, paths: [stage.signedPath('GET', versionKey(ref))] }
  const service = { ...load, origin: stage.service.url, paths: [path], token: stage.token }
  for (const side of [store, service]) await requireBytes(side, bytes)

  // What is left for the service to reach: a server that checks nothing.
  const bare = await stage.startProgram('pass-through.ts', {
    PASS_URL: `${stage.storeOrigin}${store.paths[0]}`,
  })
  const rateOf = (side: Omit<WrkLoad, 'seconds'>) => async (seconds: number) => {
    const result = await runWrk({ ...side, seconds }, stage.folder)
    if (result.bytes < result.requests * size) throw new Error('an answer was shorter than the document')
    return options.unit === 'MiB/s'
      ? result.bytes / 2 ** 20 / result.seconds
      : result.requests / result.seconds
  }
  return {
    operation: 'get',
    title: options.title,
    unit: options.unit,
    baseline: { run: rateOf(store) },
    variants: [
      { title: '', target: options.target, run: rateOf(service) },
      { title: 'a bare pass-through', target: null, run: rateOf({ ...store, origin: bare.origin }) },
    ],
    close: bare.stop,
  }
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
