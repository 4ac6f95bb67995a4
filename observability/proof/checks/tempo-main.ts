import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { readableJson } from '../evidence.ts'
import type { Marker } from '../marker.ts'
import { found, launch, type Scene } from '../scene.ts'
import { spansOf } from '../servers/otlp.ts'
import { type FoundTrace, searchTraces, type TempoTarget, traceById } from '../servers/tempo-api.ts'
import { tryCopy } from '../store/preflight.ts'
import { until } from '../until.ts'
import { judgeBlock, landTrace } from './tempo-landing.ts'
import type { TempoScene } from './tempo-scene.ts'

export async function copyInPrefix({ objects, prefix, marker }: TempoScene): Promise<Observation> {
  return (await tryCopy(objects, prefix, marker.id))
    ? holds(`a copy below ${prefix} has the bytes of its source`)
    : broken(
        `a copy below ${prefix} has other bytes`,
        'Tempo marks blocks for removal by copying their meta.json',
      )
}

export async function startWriter(scene: TempoScene): Promise<Observation> {
  const started = performance.now()
  scene.writer = await launch(scene, 'main')
  return holds(`ready after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

export async function landOwnTrace(scene: TempoScene): Promise<Observation> {
  const writer = found(scene.writer)
  const { block, observation } = await landTrace(scene, writer)
  if (block !== null) scene.block = block
  return observation
}

export function judgeOwnBlock(scene: TempoScene): Promise<Observation> {
  return judgeBlock(scene, found(scene.block))
}

export async function readBackTrace(scene: TempoScene): Promise<Observation> {
  const { mischief } = scene
  const writer = found(scene.writer)
  await writer.stop()
  scene.reader = await launch(scene, 'fresh', { disk: mischief.warmDisk ? writer.disk : undefined })
  const trace = await traceOf(scene, scene.reader)
  if (trace === null) return broken(`no trace ${scene.marker.traceId}`, 'it is in the bucket')
  scene.trace = trace
  return judgeTrace(scene.marker, trace)
}

/** Asks until the trace is there: a Tempo has to poll its list of blocks first. */
export async function traceOf(
  scene: Scene,
  { url }: TempoTarget,
  label = 'read-back',
): Promise<FoundTrace | null> {
  const { marker, orgId, waits, signal, evidence } = scene
  const trace = await until(waits.landing, () => traceById({ url, orgId }, marker.traceId), signal)
  if (trace !== null) await evidence.write(`tempo/${label}.json`, readableJson(trace.text))
  return trace
}

/** The same spans: ids, names, times, attributes, and the service that they are of. */
export function judgeTrace(marker: Marker, { spans }: FoundTrace): Observation {
  const { traceId, serviceName } = marker
  const byId = (one: { spanId: string }, other: { spanId: string }) => (one.spanId < other.spanId ? -1 : 1)
  const expected = spansOf(marker).map(({ kind: _, ...span }) => ({ ...span, traceId, serviceName }))
  return Bun.deepEquals(spans.toSorted(byId), expected.toSorted(byId))
    ? holds(`trace ${traceId} with ${spans.length} spans, their times and attributes`)
    : broken(JSON.stringify(spans), `sent were ${JSON.stringify(expected)}`)
}

const searchedMilliseconds = 60_000

/** Search is another path to the blocks than the trace's id, with switches of its own. */
export async function searchOwnTrace(scene: TempoScene): Promise<Observation> {
  return searchTrace(scene, found(scene.reader))
}

/** @param label of the evidence. */
export async function searchTrace(
  scene: Scene,
  { url }: TempoTarget,
  label = 'search',
): Promise<Observation> {
  const { marker, orgId, waits, signal, evidence } = scene
  const traceql = `{ resource.service.name = "${marker.serviceName}" && span.correlation.id = "${marker.correlationId}" }`
  const range = { from: marker.at - searchedMilliseconds, to: marker.at + searchedMilliseconds }
  const search = () => searchTraces({ url, orgId }, traceql, range)
  const hit = async () => {
    const answer = await search()
    return answer.traceIds.length > 0 ? answer : null
  }
  const { traceIds, text } = (await until(waits.landing, hit, signal)) ?? (await search())
  await evidence.write(`tempo/${label}.json`, readableJson(text))
  return Bun.deepEquals(traceIds, [marker.traceId])
    ? holds(`${traceql} finds trace ${marker.traceId}`)
    : broken(
        `${traceql} finds ${traceIds.length === 0 ? 'nothing' : traceIds.join(', ')}`,
        `it should be ${marker.traceId}`,
      )
}

/** The querier is asked for each of the two places alone. */
export async function judgeOrigin(scene: TempoScene): Promise<Observation> {
  const target = { url: found(scene.reader).url, orgId: scene.orgId }
  const { traceId } = scene.marker
  const blocks = await traceById(target, traceId, 'blocks')
  const ingesters = await traceById(target, traceId, 'ingesters')
  const seen = `blocks of the store: ${blocks?.spans.length ?? 0} spans, ingesters: ${ingesters?.spans.length ?? 0}`
  return blocks !== null && ingesters === null ? holds(seen) : broken(seen, 'the blocks alone should have it')
}
