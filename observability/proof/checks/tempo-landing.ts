import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { Writer } from '../deployment.ts'
import { readableJson } from '../evidence.ts'
import { type BlockMeta, isParquet, readBlockMeta } from '../formats/tempo-block.ts'
import { type BlockKey, parseBlockKey } from '../formats/tempo-keys.ts'
import type { Marker } from '../marker.ts'
import type { Scene } from '../scene.ts'
import { described, flush, isSuccess, outcomeOf } from '../servers/ask.ts'
import { sendTrace, spansOf } from '../servers/otlp.ts'
import { type Listing, listObjects, readObject } from '../store/objects.ts'
import { until } from '../until.ts'

/** A block in the bucket. */
export interface LandedBlock {
  /** Which tenant's block it is, and its folder. */
  named: BlockKey
  /** Names and sizes of its files. */
  files: ReadonlyMap<string, number>
}

/** How a trace is followed into the bucket. */
export interface TraceSteps {
  /** What was in the bucket before: old blocks do not hold the trace. */
  before: Listing
  /** Is waited for before the flush; default: what took the trace is what is flushed. */
  arrived?: () => Promise<boolean>
  /** Whether a block holds the marker's trace; default: by the bytes of its data. */
  holdsTrace?: (block: LandedBlock) => Promise<boolean>
}

/**
 * Writes the marker's trace, flushes, and finds its block: first below the prefix, and in the whole bucket once the
 * time is up. Whether it lies in the right place is the question of another check.
 */
export async function landTrace(
  scene: Scene,
  writer: Writer,
  steps: TraceSteps,
): Promise<Observation<LandedBlock>> {
  const { orgId, marker, waits, signal, prefix } = scene
  const { arrived = async () => true } = steps
  const sent = await sendTrace({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent)) return broken(`OTLP: ${described(sent)}`, 'Tempo has to take it')
  const isIn = await until(waits.landing, async () => (await arrived()) || null, signal)
  if (isIn === null) return broken('OTLP was taken', 'Tempo itself never received the trace')
  const flushed = `flush: ${await outcomeOf(flush({ url: writer.url, orgId }))}`
  const started = performance.now()
  const find = (below: string) => findBlock(scene, below, steps)
  const block = (await until(waits.landing, () => find(prefix), signal)) ?? (await find(''))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  return block === null
    ? broken(`${flushed}; no block after ${waits.landing} s`, 'the trace is not in the bucket')
    : holds(`${flushed}; ${block.named.folder} after ${seconds} s`, block)
}

/** Returns a new block below `prefix` that has its meta.json, which is written last, and the marker's trace. */
export async function findBlock(
  scene: Scene,
  prefix: string,
  { before, holdsTrace = (block) => dataHoldsTrace(scene, block) }: TraceSteps,
): Promise<LandedBlock | null> {
  const listing = await listObjects(scene.objects, prefix)
  for (const key of listing.keys()) {
    const named = parseBlockKey(key)
    if (named?.file !== 'meta.json' || before.has(key)) continue
    const block = { named, files: filesBelow(listing, named.folder) }
    if (await holdsTrace(block)) return block
  }
  return null
}

/** Returns whether the trace id is in the data: ids are random, so compression leaves their bytes as they are. */
export async function dataHoldsTrace({ objects, marker }: Scene, { named }: LandedBlock): Promise<boolean> {
  const data = await readObject(objects, `${named.folder}data.parquet`)
  return data !== null && Buffer.from(data).includes(Buffer.from(marker.traceId, 'hex'))
}

function filesBelow(listing: Listing, folder: string): ReadonlyMap<string, number> {
  const files = [...listing.values()].filter(({ key }) => key.startsWith(folder))
  return new Map(files.map(({ key, size }) => [key.slice(folder.length), size]))
}

/**
 * Compares the block's files with what was written and with each other, with code of our own.
 *
 * @param use whether the trace is alone in it. The data of a `shared` block are compressed together, so only its
 *   meta.json and its files are compared.
 */
export async function judgeBlock(
  scene: Scene,
  { named, files }: LandedBlock,
  use: 'alone' | 'shared' = 'alone',
): Promise<Observation> {
  const { objects, marker, tenant, evidence } = scene
  const { folder } = named
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

/** What is stored uncompressed in the data, and missing there. */
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

/** Blocks give their times in whole seconds. */
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
