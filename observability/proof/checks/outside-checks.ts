import { broken, type Check, holds, Missing, type Observation } from '../../../service/cli/checks/check.ts'
import { found, type Scene } from '../scene.ts'
import { ask, described, isSuccess, NoAnswer } from '../servers/ask.ts'
import { queryLines } from '../servers/loki-api.ts'
import { traceById } from '../servers/tempo-api.ts'
import { listingText, listObjects } from '../store/bucket-listing.ts'
import { type JoinScene, joinChecks } from './join-checks.ts'
import { lokiChecks } from './loki-checks.ts'
import { judgeChunk, type LandedChunk, landLines } from './loki-landing.ts'
import { judgeLines, queryMarker, rangeOf, streamQuery } from './loki-main.ts'
import { checkContainment, reachBucket } from './store-checks.ts'
import { tempoChecks } from './tempo-checks.ts'
import { dataHoldsTrace, judgeBlock, type LandedBlock, landTrace } from './tempo-landing.ts'
import { judgeTrace, searchTrace, traceOf } from './tempo-main.ts'

/** A Loki or Tempo that runs already, and that nothing may happen to but the marker. */
export interface OutsideScene extends Scene {
  /** Origin of its HTTP API. */
  readonly url: string
  /** Where OTLP goes: to itself, or to a Collector before it. */
  readonly otlpUrl: string
  chunk?: LandedChunk
  block?: LandedBlock
  /** Folders of new blocks whose data have been read, and do not hold the marker's trace. */
  strangers?: Set<string>
}

/** What can be proved of a running Loki: the same as of our own where that needs nothing but looking. */
export const outsideLokiChecks: readonly Check<OutsideScene>[] = [
  {
    id: 'loki.reach',
    sentence: 'The running Loki and its bucket answer',
    needs: [],
    part: 'outside',
    run: reach,
  },
  {
    ...sameAs(lokiChecks, 'loki.landing'),
    needs: ['loki.reach'],
    async run(scene) {
      const { chunk, observation } = await landLines(scene, scene, () => hasLines(scene))
      if (chunk !== null) scene.chunk = chunk
      return observation
    },
  },
  { ...sameAs(lokiChecks, 'loki.objects'), run: (scene) => judgeChunk(scene, found(scene.chunk)) },
  {
    id: 'loki.query',
    sentence: 'The running Loki gives back the same lines, with their labels and metadata',
    needs: ['loki.landing'],
    part: 'outside',
    run: async (scene) => judgeLines(scene.marker, await queryMarker(scene, scene, 'query')),
  },
  {
    ...sameAs(lokiChecks, 'loki.containment'),
    after: ['loki.query', 'join.log-to-trace', 'join.trace-to-log'],
    run: (scene) => checkContainment(scene),
  },
]

/** The same of a running Tempo. */
export const outsideTempoChecks: readonly Check<OutsideScene>[] = [
  {
    id: 'tempo.reach',
    sentence: 'The running Tempo and its bucket answer',
    needs: [],
    part: 'outside',
    run: reach,
  },
  {
    ...sameAs(tempoChecks, 'tempo.landing'),
    needs: ['tempo.reach'],
    async run(scene) {
      const arrived = () => hasTrace(scene)
      const steps = { arrived, holdsTrace: blockHoldsTrace }
      const { block, observation } = await landTrace(scene, scene, steps)
      if (block !== null) scene.block = block
      return observation
    },
  },
  {
    ...sameAs(tempoChecks, 'tempo.objects'),
    run: (scene) => judgeBlock(scene, found(scene.block), 'shared'),
  },
  {
    id: 'tempo.query',
    sentence:
      'The running Tempo gives back the same spans by the id of the trace, and finds it by its attributes',
    needs: ['tempo.landing'],
    part: 'outside',
    run: queryTrace,
  },
  {
    ...sameAs(tempoChecks, 'tempo.containment'),
    after: ['tempo.query', 'join.log-to-trace', 'join.trace-to-log'],
    run: (scene) => checkContainment(scene),
  },
]

/** The same questions, to the servers that run. */
export const outsideJoinChecks: readonly Check<JoinScene>[] = joinChecks.map((check) => ({
  ...check,
  needs: ['loki.query', 'tempo.query'],
}))

/** What a check says stays; how it is tried is told anew. */
function sameAs<S>(checks: readonly Check<S>[], id: string): Omit<Check<S>, 'run'> {
  const { run: _, ...check } = found(checks.find((one) => one.id === id))
  return check
}

/** Lists the bucket, too: what is new is told by what was there. */
async function reach(scene: OutsideScene): Promise<Observation> {
  const { url, orgId, objects, bucket, evidence, server } = scene
  try {
    const ready = await ask(`${url}/ready`, { orgId })
    if (!isSuccess(ready)) return broken(`${url}/ready: ${described(ready)}`, 'it has to be ready')
  } catch (error) {
    if (error instanceof NoAnswer) throw new Missing(error.message)
    throw error
  }
  await reachBucket(objects, bucket)
  scene.before = await listObjects(objects)
  await evidence.write(`${server}/listing-before.txt`, listingText(scene.before))
  return holds(`${url} is ready; ${scene.before.size} objects in ${bucket}`)
}

/** A Collector answers before it has passed on what it took. */
async function hasLines({ url, orgId, marker }: OutsideScene): Promise<boolean> {
  return (await queryLines({ url, orgId }, streamQuery(marker), rangeOf(marker))).lines.length > 0
}

async function hasTrace({ url, orgId, marker }: OutsideScene): Promise<boolean> {
  return (await traceById({ url, orgId }, marker.traceId)) !== null
}

/** A block of a busy Tempo has hundreds of MiB. */
const readBytesMax = 64 * 1024 * 1024

/**
 * A larger one is asked for at Tempo's querier, which gets to know it when it polls next: within minutes. The others
 * are read once, however often they are asked about: the store is in use.
 */
export async function blockHoldsTrace(scene: OutsideScene, block: LandedBlock): Promise<boolean> {
  if ((block.files.get('data.parquet') ?? 0) <= readBytesMax) {
    scene.strangers ??= new Set()
    if (scene.strangers.has(block.folder)) return false
    const holdsIt = await dataHoldsTrace(scene, block)
    if (!holdsIt) scene.strangers.add(block.folder)
    return holdsIt
  }
  const { url, orgId, marker } = scene
  const id = block.folder.split('/').at(-2) ?? ''
  return (await traceById({ url, orgId }, marker.traceId, { block: id })) !== null
}

async function queryTrace(scene: OutsideScene): Promise<Observation> {
  const trace = await traceOf(scene, scene, 'query')
  if (trace === null) return broken(`no trace ${scene.marker.traceId}`, 'it is in the bucket')
  const byId = judgeTrace(scene.marker, trace)
  return byId.holds ? searchTrace(scene, scene) : byId
}
