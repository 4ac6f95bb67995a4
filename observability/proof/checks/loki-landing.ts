import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { readableJson } from '../evidence.ts'
import { crc32c } from '../formats/crc32c.ts'
import { readLokiChunk } from '../formats/loki-chunk.ts'
import { parseChunkKey } from '../formats/loki-keys.ts'
import { streamFingerprint } from '../formats/loki-stream.ts'
import { found, type Scene } from '../scene.ts'
import { described, isSuccess, toldOf } from '../servers/ask.ts'
import { flushLoki } from '../servers/loki-api.ts'
import { linesOf, sendLog } from '../servers/otlp.ts'
import { listObjects } from '../store/bucket-listing.ts'
import { readObject } from '../store/read-object.ts'
import { until } from '../until.ts'

/** A chunk in the bucket: where it was found, and where it was foretold. */
export interface LandedChunk {
  key: string
  foretold: string
}

/** A Loki that takes log lines. */
export interface LokiWriter {
  url: string
  otlpUrl: string
}

/**
 * Writes the marker's lines, flushes, and finds their chunk: first where it should be, and in the whole bucket
 * once the time is up. That it lies in the right place is for others to judge.
 *
 * @param arrived is waited for before the flush; default: what took the lines is what is flushed.
 */
export async function landLines(
  scene: Scene,
  writer: LokiWriter,
  arrived: () => Promise<boolean> = async () => true,
): Promise<{ chunk: LandedChunk | null; observation: Observation }> {
  const { orgId, marker, waits, signal } = scene
  const sent = await sendLog({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent))
    return { chunk: null, observation: broken(`OTLP: ${described(sent)}`, 'Loki has to take it') }
  const isIn = await until(waits.landing, async () => (await arrived()) || null, signal)
  if (isIn === null)
    return { chunk: null, observation: broken('OTLP was taken', 'Loki itself never got the lines') }
  const flush = `flush: ${await toldOf(flushLoki({ url: writer.url, orgId }))}`
  const started = performance.now()
  const chunk = (await until(waits.landing, () => findForetold(scene), signal)) ?? (await findAnywhere(scene))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (chunk === null) {
    const observation = broken(
      `${flush}; no chunk after ${waits.landing} s`,
      'the lines are not in the bucket',
    )
    return { chunk, observation }
  }
  return { chunk, observation: holds(`${flush}; ${chunk.key} after ${seconds} s`) }
}

/** All of the chunk's key but its checksum is known before there is a chunk. */
export function foretoldKey({ prefix, tenant, marker }: Scene): string {
  const [first, last] = [linesOf(marker).at(0)?.at ?? 0, linesOf(marker).at(-1)?.at ?? 0]
  const fingerprint = streamFingerprint({ service_name: marker.serviceName })
  return `${prefix}${tenant}/${fingerprint}/${first.toString(16)}:${last.toString(16)}:`
}

export async function findForetold(scene: Scene): Promise<LandedChunk | null> {
  const foretold = foretoldKey(scene)
  const { objects } = await scene.objects.list({ prefix: foretold, limit: 1 })
  const [chunk] = objects
  return chunk === undefined ? null : { key: chunk.key, foretold }
}

/** Other labels give another fingerprint, and a missing prefix another place; the times stay. */
async function findAnywhere(scene: Scene): Promise<LandedChunk | null> {
  const lines = linesOf(scene.marker)
  const key = [...(await listObjects(scene.objects)).keys()].find((candidate) => {
    const parsed = parseChunkKey(candidate)
    return parsed?.from === lines.at(0)?.at && parsed?.through === lines.at(-1)?.at
  })
  return key === undefined ? null : { key, foretold: foretoldKey(scene) }
}

/**
 * Reads the chunk's object with code of our own and compares it with what was written and with its own key.
 */
export async function judgeChunk(scene: Scene, { key, foretold }: LandedChunk): Promise<Observation> {
  const { objects, marker, tenant, evidence } = scene
  const named = found(parseChunkKey(key) ?? undefined)
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
    ...differences({ tenant, ...timesOf(scene) }, chunk),
    ...differences({ fingerprint: named.fingerprint, tenant: named.tenant }, chunk),
    ...differences({ service_name: marker.serviceName }, chunk.labels),
    ...[...linesOf(marker).map((line) => line.text), marker.traceId, marker.correlationId]
      .filter((part) => !text.includes(part))
      .map((part) => `“${part}” does not stand in it`),
    // Where it lies is another check's question: what follows the prefix is compared.
    ...(key.endsWith(foretold.slice(scene.prefix.length) + named.checksum)
      ? []
      : [`foretold was ${foretold}…`]),
  ]
  const seen = `${body.length} bytes, CRC32C ${checksum}, tenant ${chunk.tenant}, ${linesOf(marker).length} lines`
  return wrong.length === 0 ? holds(seen) : broken(wrong.join('; '), 'the object is not what was written')
}

function timesOf({ marker }: Scene) {
  const lines = linesOf(marker)
  return { from: lines.at(0)?.at, through: lines.at(-1)?.at }
}

function differences(expected: Record<string, unknown>, actual: object): string[] {
  return Object.entries(expected)
    .map(([name, value]) => ({ name, value, is: (actual as Record<string, unknown>)[name] }))
    .filter(({ value, is }) => value !== is)
    .map(({ name, value, is }) => `${name} is ${is}, not ${value}`)
}
