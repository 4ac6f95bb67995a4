import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { Writer } from '../deployment.ts'
import { readableJson } from '../evidence.ts'
import { crc32c } from '../formats/crc32c.ts'
import { readLokiChunk } from '../formats/loki-chunk.ts'
import { type ChunkKey, parseChunkKey, streamFingerprint } from '../formats/loki-keys.ts'
import type { Marker } from '../marker.ts'
import type { Scene } from '../scene.ts'
import { described, flush, isSuccess, outcomeOf } from '../servers/ask.ts'
import { linesOf, sendLog } from '../servers/otlp.ts'
import { listObjects, readObject } from '../store/objects.ts'
import { until } from '../until.ts'

/** A chunk in the bucket: where it was found, and where it was expected. */
export interface LandedChunk {
  key: string
  named: ChunkKey
  /** The expected key without its checksum. */
  planned: string
}

/**
 * Writes the marker's lines, flushes, and finds their chunk: first where it should be, and in the whole bucket once
 * the time is up. Whether it lies in the right place is the question of another check.
 *
 * @param arrived is waited for before the flush; default: what took the lines is what is flushed.
 */
export async function landLines(
  scene: Scene,
  writer: Writer,
  arrived: () => Promise<boolean> = async () => true,
): Promise<Observation<LandedChunk>> {
  const { orgId, marker, waits, signal } = scene
  const sent = await sendLog({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent)) return broken(`OTLP: ${described(sent)}`, 'Loki has to take it')
  const isIn = await until(waits.landing, async () => (await arrived()) || null, signal)
  if (isIn === null) return broken('OTLP was taken', 'Loki itself never received the lines')
  const flushed = `flush: ${await outcomeOf(flush({ url: writer.url, orgId }))}`
  const started = performance.now()
  const chunk = (await until(waits.landing, () => findPlanned(scene), signal)) ?? (await findAnywhere(scene))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  return chunk === null
    ? broken(`${flushed}; no chunk after ${waits.landing} s`, 'the lines are not in the bucket')
    : holds(`${flushed}; ${chunk.key} after ${seconds} s`, chunk)
}

/** Returns the key of the marker's chunk up to its checksum: everything else is known before there is a chunk. */
export function plannedKey({ prefix, tenant, marker }: Pick<Scene, 'prefix' | 'tenant' | 'marker'>): string {
  const { from, through } = timesOf(marker)
  const fingerprint = streamFingerprint({ service_name: marker.serviceName })
  return `${prefix}${tenant}/${fingerprint}/${from.toString(16)}:${through.toString(16)}:`
}

/** Returns the chunk under the marker's planned key, or `null` if there is none. */
export async function findPlanned(scene: Scene): Promise<LandedChunk | null> {
  const { objects } = await scene.objects.list({ prefix: plannedKey(scene), limit: 1 })
  return landedAt(scene, objects[0]?.key ?? '')
}

/** Other labels give another fingerprint, and a missing prefix another place; the times stay. */
async function findAnywhere(scene: Scene): Promise<LandedChunk | null> {
  const { from, through } = timesOf(scene.marker)
  const key = [...(await listObjects(scene.objects)).keys()].find((candidate) => {
    const named = parseChunkKey(candidate)
    return named?.from === from && named.through === through
  })
  return landedAt(scene, key ?? '')
}

function landedAt(scene: Scene, key: string): LandedChunk | null {
  const named = parseChunkKey(key)
  return named === null ? null : { key, named, planned: plannedKey(scene) }
}

/** Reads the chunk's object with code of our own and compares it with what was written and with its own key. */
export async function judgeChunk(scene: Scene, { key, named, planned }: LandedChunk): Promise<Observation> {
  const { objects, marker, tenant, evidence, prefix } = scene
  const body = await readObject(objects, key)
  if (body === null) return broken(`${key} is gone`, 'it was there when it had landed')
  const checksum = crc32c(body).toString(16)
  if (checksum !== named.checksum) {
    return broken(`CRC32C of the ${body.length} bytes is ${checksum}`, `${key} says ${named.checksum}`)
  }
  const chunk = readLokiChunk(body)
  const { contents, ...description } = chunk
  await evidence.write(
    'loki/chunk.json',
    readableJson(JSON.stringify({ key, bytes: body.length, ...description })),
  )
  const text = Buffer.from(contents).toString('latin1')
  const wrong = [
    ...differences({ tenant, ...timesOf(marker) }, chunk),
    ...differences({ fingerprint: named.fingerprint, tenant: named.tenant }, chunk),
    ...differences({ service_name: marker.serviceName }, chunk.labels),
    ...[...linesOf(marker).map((line) => line.text), marker.traceId, marker.correlationId]
      .filter((part) => !text.includes(part))
      .map((part) => `“${part}” is not in it`),
    // Where it lies is another check's question: what follows the prefix is compared.
    ...(key.endsWith(planned.slice(prefix.length) + named.checksum) ? [] : [`expected was ${planned}…`]),
  ]
  const seen = `${body.length} bytes, CRC32C ${checksum}, tenant ${chunk.tenant}, ${linesOf(marker).length} lines`
  return wrong.length === 0 ? holds(seen) : broken(wrong.join('; '), 'the object is not what was written')
}

function timesOf(marker: Marker): { from: number; through: number } {
  const times = linesOf(marker).map(({ at }) => at)
  return { from: Math.min(...times), through: Math.max(...times) }
}

function differences(expected: Readonly<Record<string, unknown>>, actual: object): string[] {
  const values = new Map(Object.entries(actual))
  return Object.entries(expected)
    .filter(([name, value]) => value !== values.get(name))
    .map(([name, value]) => `${name} is ${values.get(name)}, not ${value}`)
}
