import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { RunningServer } from '../deployment.ts'
import { readableJson } from '../evidence.ts'
import type { Marker } from '../marker.ts'
import { launch, type OwnScene, type Scene } from '../scene.ts'
import type { Target } from '../servers/ask.ts'
import { spansOf } from '../servers/otlp.ts'
import { type FoundTrace, searchTraces, traceById } from '../servers/tempo-api.ts'
import { tryCopy } from '../store/preflight.ts'
import { until } from '../until.ts'
import { finding, notOutside, observeOrStop, proofCheck } from './proof-check.ts'
import { containmentCheck, preflightCheck, startCheck, untouchedCheck } from './store-checks.ts'
import { judgeBlock, landTrace } from './tempo-landing.ts'

export const preflight = preflightCheck('tempo', 'blocks of a Tempo')

export const copy = proofCheck({
  id: 'tempo.copy',
  sentence: 'The store copies objects below the prefix: Tempo’s retention and compaction depend on it',
  needs: { preflight },
  notOutside: notOutside.writes,
  failures:
    'A store that fails at CopyObject (Hetzner documents that it may): retention then fails silently, so keep a lifecycle rule',
  async run({ objects, prefix, marker }: OwnScene): Promise<Observation> {
    return (await tryCopy(objects, prefix, marker.id))
      ? holds(`a copy below ${prefix} has the bytes of its source`)
      : broken(
          `a copy below ${prefix} has other bytes`,
          'Tempo marks blocks for removal by copying their meta.json',
        )
  },
})

export const start = startCheck('tempo', 'Tempo', {
  preflight,
  // Tempo takes every folder below its prefix for a tenant, including a scratch folder.
  after: ['tempo.copy'],
  failures: 'A setting that Tempo does not know, keys or a bucket that are refused, a port that is taken',
})

export const landing = proofCheck({
  id: 'tempo.landing',
  sentence: 'A trace sent over OTLP is a block in the bucket once Tempo is flushed',
  needs: { writer: start, preflight },
  failures: 'OTLP refused, a receiver on localhost only, blocks that cannot be written',
  run: (scene: OwnScene, { writer, preflight: { before } }) => landTrace(scene, writer, { before }),
})

export const objects = proofCheck({
  id: 'tempo.objects',
  sentence:
    'That block is what was written: files, meta.json with tenant, count, size and times, and the ids in its data',
  needs: { landing },
  failures: 'Bytes that changed on their way or in the store, another tenant, a block that is cut off',
  run: (scene: Scene, { landing: block }) => judgeBlock(scene, block),
})

/** Starts the Tempo on an empty disk, and asks it for the trace. */
export const readBack = proofCheck({
  id: 'tempo.read-back',
  sentence: 'A fresh Tempo on an empty disk gives back the same spans by the id of the trace',
  needs: { writer: start, landing },
  after: ['tempo.objects'],
  notOutside: notOutside.freshProcess,
  failures: 'A prefix that is read differently than written, blocks that lack a file',
  async run(scene: OwnScene, { writer }): Promise<Observation<{ url: string; reader: RunningServer }>> {
    await writer.stop()
    const reader = await launch(scene, 'fresh')
    return observeOrStop(reader, async () => {
      const trace = await traceOf(scene, reader)
      if (trace === null) return broken(`no trace ${scene.marker.traceId}`, 'it is in the bucket')
      return finding(judgeTrace(scene.marker, trace), { url: reader.url, reader })
    })
  },
})

/** Asks until the trace is there: a Tempo has to poll its list of blocks first. @returns `null` if it is not. */
export async function traceOf(
  scene: Scene,
  { url }: Target,
  label = 'read-back',
): Promise<FoundTrace | null> {
  const { marker, orgId, waits, signal, evidence } = scene
  const trace = await until(waits.landing, () => traceById({ url, orgId }, marker.traceId), signal)
  if (trace !== null) await evidence.write(`tempo/${label}.json`, readableJson(trace.text))
  return trace
}

/** Compares the spans: ids, names, times, attributes, and the service that they belong to. */
export function judgeTrace(marker: Marker, { spans }: FoundTrace): Observation {
  const { traceId, serviceName } = marker
  const byId = (one: { spanId: string }, other: { spanId: string }) => (one.spanId < other.spanId ? -1 : 1)
  const expected = spansOf(marker).map(({ kind: _, ...span }) => ({ ...span, traceId, serviceName }))
  return Bun.deepEquals(spans.toSorted(byId), expected.toSorted(byId))
    ? holds(`trace ${traceId} with ${spans.length} spans, their times and attributes`)
    : broken(JSON.stringify(spans), `sent were ${JSON.stringify(expected)}`)
}

const searchedMilliseconds = 60_000

/** Search is another path to the blocks than the id of the trace, with settings of its own. */
export const search = proofCheck({
  id: 'tempo.search',
  sentence: 'The same Tempo finds the trace by its attributes',
  needs: { readBack },
  notOutside: notOutside.freshProcess,
  failures: '`query_backend_after` left at 15 minutes: young blocks are left to an ingester that is gone',
  run: (scene: OwnScene, { readBack: { reader } }) => searchTrace(scene, reader),
})

/** Searches the marker's trace by its attributes until it is found. @param label of the evidence. */
export async function searchTrace(scene: Scene, { url }: Target, label = 'search'): Promise<Observation> {
  const { marker, orgId, waits, signal, evidence } = scene
  const traceql = `{ resource.service.name = "${marker.serviceName}" && span.correlation.id = "${marker.correlationId}" }`
  const range = { from: marker.at - searchedMilliseconds, to: marker.at + searchedMilliseconds }
  const ask = () => searchTraces({ url, orgId }, traceql, range)
  const hit = async () => {
    const answer = await ask()
    return answer.traceIds.length > 0 ? answer : null
  }
  const { traceIds, text } = (await until(waits.landing, hit, signal)) ?? (await ask())
  await evidence.write(`tempo/${label}.json`, readableJson(text))
  return Bun.deepEquals(traceIds, [marker.traceId])
    ? holds(`${traceql} finds trace ${marker.traceId}`)
    : broken(
        `${traceql} finds ${traceIds.length === 0 ? 'nothing' : traceIds.join(', ')}`,
        `it should be ${marker.traceId}`,
      )
}

/** The querier is asked for each of the two places alone. */
export const origin = proofCheck({
  id: 'tempo.origin',
  sentence: 'Its answer came from the store: blocks there have the trace, its ingester does not',
  needs: { readBack },
  notOutside: notOutside.freshProcess,
  failures: 'The disk was not empty: what looks like the store was a block of the ingester',
  async run({ marker: { traceId }, orgId }: OwnScene, { readBack: { url } }): Promise<Observation> {
    const blocks = await traceById({ url, orgId }, traceId, 'blocks')
    const ingesters = await traceById({ url, orgId }, traceId, 'ingesters')
    const seen = `blocks of the store: ${blocks?.spans.length ?? 0} spans, ingesters: ${ingesters?.spans.length ?? 0}`
    return blocks !== null && ingesters === null
      ? holds(seen)
      : broken(seen, 'only the blocks should have it')
  },
})

export const containment = containmentCheck(
  'tempo',
  { landing, preflight },
  {
    readBack,
    failures:
      'No prefix: then other folders of the bucket are taken for tenants; usage reports; another writer in the same bucket',
  },
)

export const untouched = untouchedCheck('tempo', { landing, preflight })
