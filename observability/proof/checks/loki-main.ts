import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { RunningServer } from '../deployment.ts'
import { readableJson } from '../evidence.ts'
import { lokiKeyForms } from '../formats/loki-keys.ts'
import type { Marker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix, sideUses } from '../scene.ts'
import { described, type Target } from '../servers/ask.ts'
import { type FoundLine, keepRule, type QueryAnswer, queryLines } from '../servers/loki-api.ts'
import { linesOf, nanoseconds } from '../servers/otlp.ts'
import { listObjects, newKeys } from '../store/objects.ts'
import { until } from '../until.ts'
import { judgeChunk, type LandedChunk, landLines } from './loki-landing.ts'
import { finding, notOutside, observeOrStop, proofCheck } from './proof-check.ts'
import { containmentCheck, preflightCheck, startCheck, untouchedCheck } from './store-checks.ts'

export const preflight = preflightCheck('loki', 'chunks of a Loki')

export const start = startCheck('loki', 'Loki', {
  preflight,
  failures: 'A setting that Loki does not know, keys or a bucket that are refused while retention is on',
})

export const landing = proofCheck({
  id: 'loki.landing',
  sentence: 'Log lines sent over OTLP are an object in the bucket once Loki is flushed',
  needs: { writer: start },
  failures:
    'OTLP refused, chunks that cannot be written, a flush that never comes: the index and WAL hide it until the disk is lost',
  async run(scene: OwnScene, { writer }): Promise<Observation<{ chunk: LandedChunk; ruler: string }>> {
    // A ruler that should not be there would write as well, and outside the prefix: see containment.
    const rule = await keepRule({ url: writer.url, orgId: scene.orgId }, `validate-${scene.marker.id}`)
    const landed = await landLines(scene, writer)
    return landed.holds ? holds(landed.seen, { chunk: landed.found, ruler: described(rule) }) : landed
  },
})

export const objects = proofCheck({
  id: 'loki.objects',
  sentence:
    'That object is the expected one: key, CRC32C, tenant, labels and times, and it contains the lines',
  needs: { landing },
  failures:
    'Bytes that changed on their way or in the store, another tenant, labels that the deployment adds or drops',
  run: (scene: Scene, { landing: { chunk } }) => judgeChunk(scene, chunk),
})

export const index = proofCheck({
  id: 'loki.index',
  sentence: 'A graceful stop brings the index to the bucket',
  needs: { writer: start, landing, preflight },
  // What is judged must not be compacted meanwhile, nor be read by the Loki that wrote it.
  after: ['loki.objects'],
  notOutside: 'it would stop the deployment; Loki ships the index every quarter of an hour',
  failures: 'Killed instead of stopped, `flush_on_shutdown` missing, a grace period that is too short',
  /** Until the index is there, chunks cannot be found by any other Loki than the one that wrote them. */
  async run(scene: OwnScene, { writer, preflight: { before } }): Promise<Observation> {
    const { waits, signal } = scene
    const how = await writer.stop()
    const find = async () => {
      const keys = newKeys(before, await listObjects(scene.objects))
      return keys.find((key) => isIndex(scene, key)) ?? null
    }
    const key = await until(waits.landing, find, signal)
    if (key === null)
      return broken(`${how}, and no index after ${waits.landing} s`, 'chunks without an index are lost')
    return how === 'ended' ? holds(`ended; ${key}`) : broken(`${how}; ${key}`, 'it has to end by itself')
  },
})

const indexForm = lokiKeyForms.find(({ name }) => name === 'index')?.form

/** Whatever precedes `index/`: containment judges where it lies. But not the index of another Loki of the proof. */
function isIndex(scene: OwnScene, key: string): boolean {
  if (sideUses.some((use) => key.startsWith(sidePrefix(scene, use)))) return false
  return indexForm?.test(key.slice(key.lastIndexOf('index/'))) === true
}

/** Starts the Loki on an empty disk, and asks it for the lines. */
export const readBack = proofCheck({
  id: 'loki.read-back',
  sentence: 'A fresh Loki on an empty disk gives back the same lines, with their labels and metadata',
  needs: { index },
  notOutside: notOutside.freshProcess,
  failures:
    'The index is not where the chunks are, structured metadata switched off, a client that reads another prefix than it writes',
  async run(
    scene: OwnScene,
  ): Promise<Observation<{ url: string; reader: RunningServer; answer: QueryAnswer }>> {
    const reader = await launch(scene, 'fresh')
    return observeOrStop(reader, async () => {
      const answer = await queryMarker(scene, reader)
      return finding(judgeLines(scene.marker, answer), { url: reader.url, reader, answer })
    })
  },
})

/** Queries the marker's stream until the answer has lines: a querier may just have come up. */
export async function queryMarker(scene: Scene, { url }: Target, label = 'read-back'): Promise<QueryAnswer> {
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

/** Returns the LogQL query of the marker's stream. */
export function streamQuery({ serviceName }: Marker): string {
  return `{service_name="${serviceName}"}`
}

/** Returns the times of the marker's lines, milliseconds since the epoch. */
export function rangeOf(marker: Marker): { from: number; to: number } {
  const lines = linesOf(marker)
  return { from: lines.at(0)?.at ?? 0, to: lines.at(-1)?.at ?? 0 }
}

/** Compares the lines to the nanosecond, with the labels and the structured metadata that were sent with them. */
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
export const origin = proofCheck({
  id: 'loki.origin',
  sentence: 'That answer came from the store: its chunks were downloaded, none was in the ingester',
  needs: { readBack },
  notOutside: notOutside.freshProcess,
  failures: 'The disk was not empty: what looks like the store was the WAL of the ingester',
  async run(_: OwnScene, { readBack: { answer } }): Promise<Observation> {
    const { chunksDownloaded, chunksInIngester } = answer
    const seen = `${chunksDownloaded} chunks downloaded, ${chunksInIngester} in the ingester`
    return chunksDownloaded > 0 && chunksInIngester === 0
      ? holds(seen)
      : broken(seen, 'at least one has to be downloaded, and none may be in the ingester')
  },
})

export const containment = containmentCheck(
  'loki',
  { landing, preflight },
  {
    readBack,
    failures:
      'No prefix, a ruler that `common.storage.s3` has started, analytics; another writer in the same bucket',
    remark: ({ ruler }) => `; the ruler, asked to keep a rule: ${ruler}`,
  },
)

export const untouched = untouchedCheck('loki', { landing, preflight })
