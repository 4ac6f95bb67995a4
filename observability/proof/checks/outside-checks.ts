import { broken, holds, Missing, type Observation } from '../../../service/cli/checks/check.ts'
import type { ServerName } from '../deployment.ts'
import type { Scene } from '../scene.ts'
import { ask, described, isSuccess, NoAnswer } from '../servers/ask.ts'
import { queryLines } from '../servers/loki-api.ts'
import { traceById } from '../servers/tempo-api.ts'
import { joinChecksOf } from './join-checks.ts'
import { judgeChunk, landLines } from './loki-landing.ts'
import * as loki from './loki-main.ts'
import { judgeLines, queryMarker, rangeOf, streamQuery } from './loki-main.ts'
import { factsOf, finding, type ProofCheck, proofCheck } from './proof-check.ts'
import { type BucketBefore, checkContainment, listBefore, reachBucket } from './store-checks.ts'
import { dataHoldsTrace, judgeBlock, type LandedBlock, landTrace } from './tempo-landing.ts'
import * as tempo from './tempo-main.ts'
import { judgeTrace, searchTrace, traceOf } from './tempo-main.ts'

/** A Loki or Tempo that runs already, and that receives nothing but the marker. */
export interface OutsideScene extends Scene {
  /** Origin of its HTTP API. */
  readonly url: string
  /** Where OTLP goes: to the server itself, or to a Collector in front of it. */
  readonly otlpUrl: string
}

const reachLoki = reachCheck('loki', 'Loki')
const reachTempo = reachCheck('tempo', 'Tempo')

function reachCheck(server: ServerName, title: string) {
  return proofCheck({
    id: `${server}.reach`,
    sentence: `The running ${title} and its bucket answer`,
    part: 'outside',
    failures: `A wrong URL, a ${title} that is not ready, a bucket that is absent or not readable with these keys`,
    async run(scene: OutsideScene): Promise<Observation<BucketBefore>> {
      const { url, orgId, objects, bucket } = scene
      try {
        const ready = await ask(`${url}/ready`, { orgId })
        if (!isSuccess(ready)) return broken(`${url}/ready: ${described(ready)}`, 'it has to be ready')
      } catch (error) {
        if (error instanceof NoAnswer) throw new Missing(error.message)
        throw error
      }
      await reachBucket(objects, bucket)
      const before = await listBefore(scene)
      return holds(`${url} is ready; ${before.size} objects in ${bucket}`, { before })
    },
  })
}

const landLoki = proofCheck({
  ...factsOf(loki.landing),
  needs: { reach: reachLoki },
  run: (scene: OutsideScene) => landLines(scene, scene, () => hasLines(scene)),
})

const queryLoki = proofCheck({
  id: 'loki.query',
  sentence: 'The running Loki gives back the same lines, with their labels and metadata',
  needs: { landing: landLoki },
  part: 'outside',
  failures: 'Another bucket or prefix than the deployment’s, structured metadata switched off',
  async run(scene: OutsideScene) {
    const answer = await queryMarker(scene, scene, 'query')
    return finding(judgeLines(scene.marker, answer), { url: scene.url })
  },
})

/** What can be proved of a running Loki: the same as of our own as far as looking is enough. */
export const outsideLokiChecks: readonly ProofCheck<OutsideScene>[] = [
  reachLoki,
  landLoki,
  proofCheck({
    ...factsOf(loki.objects),
    needs: { chunk: landLoki },
    run: (scene: OutsideScene, { chunk }) => judgeChunk(scene, chunk),
  }),
  queryLoki,
  proofCheck({
    ...factsOf(loki.containment),
    needs: { reach: reachLoki, landing: landLoki },
    after: ['loki.query', 'join.log-to-trace', 'join.trace-to-log'],
    run: (scene: OutsideScene, { reach }) => checkContainment(scene, reach.before),
  }),
]

const landTempo = proofCheck({
  ...factsOf(tempo.landing),
  needs: { reach: reachTempo },
  run(scene: OutsideScene, { reach: { before } }) {
    const read = new Set<string>()
    const holdsTrace = (block: LandedBlock) => blockHoldsTrace(scene, block, read)
    return landTrace(scene, scene, { before, arrived: () => hasTrace(scene), holdsTrace })
  },
})

const queryTempo = proofCheck({
  id: 'tempo.query',
  sentence:
    'The running Tempo gives back the same spans by the id of the trace, and finds it by its attributes',
  needs: { landing: landTempo },
  part: 'outside',
  failures:
    'Another bucket or prefix than the deployment’s, a search that does not look into blocks that are as young',
  async run(scene: OutsideScene): Promise<Observation<{ url: string }>> {
    const trace = await traceOf(scene, scene, 'query')
    if (trace === null) return broken(`no trace ${scene.marker.traceId}`, 'it is in the bucket')
    const byId = judgeTrace(scene.marker, trace)
    return finding(byId.holds ? await searchTrace(scene, scene) : byId, { url: scene.url })
  },
})

/** What can be proved of a running Tempo. */
export const outsideTempoChecks: readonly ProofCheck<OutsideScene>[] = [
  reachTempo,
  landTempo,
  proofCheck({
    ...factsOf(tempo.objects),
    needs: { block: landTempo },
    run: (scene: OutsideScene, { block }) => judgeBlock(scene, block, 'shared'),
  }),
  queryTempo,
  proofCheck({
    ...factsOf(tempo.containment),
    needs: { reach: reachTempo, landing: landTempo },
    after: ['tempo.query', 'join.log-to-trace', 'join.trace-to-log'],
    run: (scene: OutsideScene, { reach }) => checkContainment(scene, reach.before),
  }),
]

/** What can be proved of the two together while they run. */
export const outsideJoinChecks = joinChecksOf({ loki: queryLoki, tempo: queryTempo })

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
 * Returns whether the block holds the marker's trace. Data of up to 64 MiB are read, once. Tempo's querier is asked
 * about a larger block, which it knows after its next poll: within minutes.
 *
 * @param read folders of blocks whose data have been read, and do not hold the trace; new ones are added.
 */
export async function blockHoldsTrace(
  scene: OutsideScene,
  block: LandedBlock,
  read: Set<string>,
): Promise<boolean> {
  const { folder, block: id } = block.named
  if ((block.files.get('data.parquet') ?? 0) <= readBytesMax) {
    if (read.has(folder)) return false
    const holdsIt = await dataHoldsTrace(scene, block)
    if (!holdsIt) read.add(folder)
    return holdsIt
  }
  const { url, orgId, marker } = scene
  return (await traceById({ url, orgId }, marker.traceId, { block: id })) !== null
}
