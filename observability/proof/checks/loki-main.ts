import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { readableJson } from '../evidence.ts'
import { lokiKeyForms } from '../formats/loki-keys.ts'
import type { Marker } from '../marker.ts'
import { found, launch, type Scene, sidePrefix, sideUses } from '../scene.ts'
import { described } from '../servers/ask.ts'
import {
  type FoundLine,
  keepRule,
  type LokiTarget,
  type QueryAnswer,
  queryLines,
} from '../servers/loki-api.ts'
import { linesOf, nanoseconds } from '../servers/otlp.ts'
import { listObjects, newKeys } from '../store/bucket-listing.ts'
import { until } from '../until.ts'
import { judgeChunk, landLines } from './loki-landing.ts'
import type { LokiScene } from './loki-scene.ts'

export async function startWriter(scene: LokiScene): Promise<Observation> {
  const started = performance.now()
  scene.writer = await launch(scene, 'main')
  return holds(`ready after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

export async function landOwnLines(scene: LokiScene): Promise<Observation> {
  const writer = found(scene.writer)
  // A ruler that should not be there would write as well, and outside of the prefix: see containment.
  const rule = await keepRule({ url: writer.url, orgId: scene.orgId }, `validate-${scene.marker.id}`)
  scene.ruler = described(rule)
  const { chunk, observation } = await landLines(scene, writer)
  if (chunk !== null) scene.chunk = chunk
  return observation
}

export function judgeOwnChunk(scene: LokiScene): Promise<Observation> {
  return judgeChunk(scene, found(scene.chunk))
}

/** Until the index is there, chunks cannot be found by any other Loki than the one that wrote them. */
export async function stopForIndex(scene: LokiScene): Promise<Observation> {
  const { objects, before, waits, signal, mischief } = scene
  const writer = found(scene.writer)
  const how = mischief.killsWriter ? await writer.kill().then(() => 'killed' as const) : await writer.stop()
  const index = await until(
    waits.landing,
    async () => newKeys(found(before), await listObjects(objects)).find((key) => isIndex(scene, key)) ?? null,
    signal,
  )
  if (index === null)
    return broken(`${how}, and no index after ${waits.landing} s`, 'chunks without an index are lost')
  return how === 'ended' ? holds(`ended; ${index}`) : broken(`${how}; ${index}`, 'it has to end by itself')
}

const indexForm = lokiKeyForms.find(({ name }) => name === 'index')?.form

/** Whatever stands before `index/`, where that lies is for the containment to judge; but not that of another Loki. */
function isIndex(scene: LokiScene, key: string): boolean {
  if (sideUses.some((use) => key.startsWith(sidePrefix(scene, use)))) return false
  return indexForm?.test(key.slice(key.lastIndexOf('index/'))) === true
}

export async function readBackLines(scene: LokiScene): Promise<Observation> {
  const { mischief, writer } = scene
  const disk = mischief.warmDisk ? found(writer).disk : undefined
  scene.reader = await launch(scene, 'fresh', { disk })
  scene.answer = await queryMarker(scene, scene.reader)
  return judgeLines(scene.marker, scene.answer)
}

/** Asks for the marker's stream until there is an answer with lines: a querier may just have come up. */
export async function queryMarker(
  scene: Scene,
  { url }: LokiTarget,
  label = 'read-back',
): Promise<QueryAnswer> {
  const { marker, orgId, waits, signal, evidence } = scene
  const ask = () => queryLines({ url, orgId }, streamQuery(marker), rangeOf(marker))
  const lines = async () => {
    const answer = await ask()
    return answer.lines.length > 0 ? answer : null
  }
  const answer = (await until(waits.landing, lines, signal)) ?? (await ask())
  await evidence.write(`loki/${label}.json`, readableJson(answer.text))
  return answer
}

export function streamQuery({ serviceName }: Marker): string {
  return `{service_name="${serviceName}"}`
}

export function rangeOf(marker: Marker): { from: number; to: number } {
  const lines = linesOf(marker)
  return { from: lines.at(0)?.at ?? 0, to: lines.at(-1)?.at ?? 0 }
}

/** The same lines at the same nanosecond, with the labels and the structured metadata that went with them. */
export function judgeLines(marker: Marker, { lines }: QueryAnswer): Observation {
  const expected = linesOf(marker).map(({ at, text }) => ({ ns: nanoseconds(at), text }))
  const got = lines.map(({ ns, text }) => ({ ns, text }))
  if (!Bun.deepEquals(got, expected)) {
    return broken(`${lines.length} lines: ${JSON.stringify(got)}`, `written were ${JSON.stringify(expected)}`)
  }
  const wrong = lines.filter((line) => !belongsTo(line, marker))
  if (wrong.length > 0)
    return broken(JSON.stringify(wrong), 'labels or structured metadata are not those that were sent')
  return holds(`${lines.length} lines with their labels, trace id ${marker.traceId} and correlation id`)
}

function belongsTo({ labels, structuredMetadata }: FoundLine, marker: Marker): boolean {
  return (
    labels.service_name === marker.serviceName &&
    structuredMetadata.trace_id === marker.traceId &&
    structuredMetadata.span_id === marker.rootSpanId &&
    structuredMetadata.correlation_id === marker.correlationId
  )
}

/** Loki counts for each answer where its chunks were. */
export async function judgeOrigin(scene: LokiScene): Promise<Observation> {
  const { chunksDownloaded, chunksInIngester } = found(scene.answer)
  const seen = `${chunksDownloaded} chunks downloaded, ${chunksInIngester} in the ingester`
  return chunksDownloaded > 0 && chunksInIngester === 0
    ? holds(seen)
    : broken(seen, 'at least one has to be downloaded, and none may be in the ingester')
}
