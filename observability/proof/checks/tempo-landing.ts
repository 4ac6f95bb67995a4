import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { readableJson } from '../evidence.ts'
import { type BlockMeta, isParquet, readBlockMeta } from '../formats/tempo-block.ts'
import { parseBlockKey } from '../formats/tempo-keys.ts'
import type { Marker } from '../marker.ts'
import { found, type Scene } from '../scene.ts'
import { described, isSuccess, toldOf } from '../servers/ask.ts'
import { sendTrace, spansOf } from '../servers/otlp.ts'
import { flushTempo } from '../servers/tempo-api.ts'
import { type Listing, listObjects } from '../store/bucket-listing.ts'
import { readObject } from '../store/read-object.ts'
import { until } from '../until.ts'

/** A block in the bucket. */
export interface LandedBlock {
  /** With a slash at its end. */
  folder: string
  /** Keys and sizes of its files. */
  files: ReadonlyMap<string, number>
}

/** A Tempo that takes traces. */
export interface TempoWriter {
  url: string
  otlpUrl: string
}

/** Whether the block holds the marker's trace. */
export type HoldsTrace<S extends Scene> = (scene: S, block: LandedBlock) => Promise<boolean>

/** How a trace is followed into the bucket. */
export interface TraceSteps<S extends Scene> {
  /** Is waited for before the flush; default: what took the trace is what is flushed. */
  arrived?: () => Promise<boolean>
  /** Default: by the bytes of the block's data. */
  holdsTrace?: HoldsTrace<S>
}

/**
 * Writes the marker's trace, flushes, and finds its block: first below the prefix, and in the whole bucket once the
 * time is up. That it lies in the right place is for others to judge.
 */
export async function landTrace<S extends Scene>(
  scene: S,
  writer: TempoWriter,
  { arrived = async () => true, holdsTrace = dataHoldsTrace }: TraceSteps<S> = {},
): Promise<{ block: LandedBlock | null; observation: Observation }> {
  const { orgId, marker, waits, signal, prefix } = scene
  const sent = await sendTrace({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent))
    return { block: null, observation: broken(`OTLP: ${described(sent)}`, 'Tempo has to take it') }
  const isIn = await until(waits.landing, async () => (await arrived()) || null, signal)
  if (isIn === null)
    return { block: null, observation: broken('OTLP was taken', 'Tempo itself never got the trace') }
  const flush = `flush: ${await toldOf(flushTempo({ url: writer.url, orgId }))}`
  const started = performance.now()
  const find = (below: string) => findBlock(scene, below, holdsTrace)
  const block = (await until(waits.landing, () => find(prefix), signal)) ?? (await find(''))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (block === null) {
    const observation = broken(
      `${flush}; no block after ${waits.landing} s`,
      'the trace is not in the bucket',
    )
    return { block, observation }
  }
  return { block, observation: holds(`${flush}; ${block.folder} after ${seconds} s`) }
}

/** A new block below `prefix` that has its meta.json, which is written last, and the marker's trace. */
export async function findBlock<S extends Scene>(
  scene: S,
  prefix: string,
  holdsTrace: HoldsTrace<S> = dataHoldsTrace,
): Promise<LandedBlock | null> {
  const listing = await listObjects(scene.objects, prefix)
  for (const key of listing.keys()) {
    const parsed = parseBlockKey(key)
    if (parsed?.file !== 'meta.json' || scene.before?.has(key)) continue
    const block = { folder: parsed.folder, files: filesBelow(listing, parsed.folder) }
    if (await holdsTrace(scene, block)) return block
  }
  return null
}

/** Ids are random: whatever compresses the column, they stand in it as they are. */
export async function dataHoldsTrace({ objects, marker }: Scene, { folder }: LandedBlock): Promise<boolean> {
  const data = await readObject(objects, `${folder}data.parquet`)
  return data !== null && Buffer.from(data).includes(Buffer.from(marker.traceId, 'hex'))
}

function filesBelow(listing: Listing, folder: string): ReadonlyMap<string, number> {
  const files = [...listing.values()].filter(({ key }) => key.startsWith(folder))
  return new Map(files.map(({ key, size }) => [key.slice(folder.length), size]))
}

/**
 * Compares the block's files with what was written and with each other, with code of our own.
 *
 * @param use whether the trace is alone in it. In a `shared` one the data are compressed together, so there only
 *   meta.json and the files are compared.
 */
export async function judgeBlock(
  scene: Scene,
  { folder, files }: LandedBlock,
  use: 'alone' | 'shared' = 'alone',
): Promise<Observation> {
  const { objects, marker, tenant, evidence } = scene
  const named = found(parseBlockKey(`${folder}meta.json`) ?? undefined)
  const json = new TextDecoder().decode((await readObject(objects, `${folder}meta.json`)) ?? new Uint8Array())
  await evidence.write('tempo/meta.json', readableJson(json))
  const meta = readBlockMeta(json)
  const size = files.get('data.parquet')
  const wrong = [
    ...whereNot(
      Bun.deepEquals([...files.keys()].sort(), filesOf(meta)),
      `its files are ${[...files.keys()].join(', ')}`,
    ),
    ...whereNot(meta.blockID === named.block, `meta.json says block ${meta.blockID}`),
    ...whereNot(
      meta.tenantID === tenant && named.tenant === tenant,
      `tenant is ${meta.tenantID} in ${named.tenant}/`,
    ),
    ...whereNot(meta.size === size, `meta.json says ${meta.size} bytes of data, there are ${size}`),
    ...whereNot(covers(meta, spanTimes(marker)), `times are ${meta.startTime} to ${meta.endTime}`),
    ...(use === 'alone' ? await wrongAlone(scene, folder, meta) : []),
  ]
  const seen = `${meta.format}, tenant ${meta.tenantID}, traces: ${meta.totalObjects}, ${size} bytes of data, ${meta.startTime}`
  return wrong.length === 0 ? holds(seen) : broken(wrong.join('; '), 'the block is not what was written')
}

function filesOf({ bloomShards }: BlockMeta): string[] {
  const blooms = Array.from({ length: bloomShards }, (_, shard) => `bloom-${shard}`)
  return [...blooms, 'data.parquet', 'index', 'meta.json'].sort()
}

async function wrongAlone({ objects, marker }: Scene, folder: string, meta: BlockMeta): Promise<string[]> {
  const data = (await readObject(objects, `${folder}data.parquet`)) ?? new Uint8Array()
  const { start, end } = spanTimes(marker)
  return [
    ...whereNot(meta.totalObjects === 1, `meta.json counts ${meta.totalObjects} traces`),
    ...whereNot(wholeSeconds(meta.startTime) === start, `meta.json begins at ${meta.startTime}`),
    ...whereNot(wholeSeconds(meta.endTime) === end, `meta.json ends at ${meta.endTime}`),
    ...whereNot(isParquet(data), 'data.parquet is not Parquet'),
    ...missingIn(data, marker).map((name) => `the data have no ${name}`),
  ]
}

/** What is stored as it is, and not among those. */
function missingIn(data: Uint8Array, { traceId, serviceName, correlationId }: Marker): string[] {
  const bytes = Buffer.from(data)
  return [
    ...whereNot(bytes.includes(Buffer.from(traceId, 'hex')), `trace id ${traceId}`),
    ...whereNot(bytes.includes(serviceName), `service name ${serviceName}`),
    ...whereNot(bytes.includes(correlationId), `correlation id ${correlationId}`),
  ]
}

function whereNot(good: boolean, sentence: string): string[] {
  return good ? [] : [sentence]
}

/** Blocks tell whole seconds. */
function spanTimes(marker: Marker): { start: number; end: number } {
  const spans = spansOf(marker)
  return {
    start: Math.floor(Math.min(...spans.map(({ start }) => start)) / 1000),
    end: Math.floor(Math.max(...spans.map(({ end }) => end)) / 1000),
  }
}

function wholeSeconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

function covers({ startTime, endTime }: BlockMeta, { start, end }: { start: number; end: number }): boolean {
  return wholeSeconds(startTime) <= start && end <= wholeSeconds(endTime)
}
