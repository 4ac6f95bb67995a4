import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { launch, launchExpectingFailure, type OwnScene, sidePrefix } from '../scene.ts'
import { sendTrace } from '../servers/otlp.ts'
import { traceById } from '../servers/tempo-api.ts'
import { outageCheck } from './outage.ts'
import { notOutside, proofCheck } from './proof-check.ts'
import { type WrongLaunch, wrongBucket, wrongSecret } from './refusals.ts'
import { findBlock } from './tempo-landing.ts'
import { judgeTrace, landing, preflight, searchTrace, traceOf } from './tempo-main.ts'

export const wrongSecretRefused = proofCheck({
  id: 'tempo.wrong-secret',
  sentence: 'With a wrong secret Tempo does not start',
  needs: { preflight },
  after: ['tempo.copy'],
  notOutside: notOutside.otherProcess,
  failures: 'A store that accepts any key',
  run: (scene: OwnScene) => refuse(scene, wrongSecret),
})

export const wrongBucketRefused = proofCheck({
  id: 'tempo.wrong-bucket',
  sentence: 'With an absent bucket Tempo does not start',
  needs: { preflight },
  after: ['tempo.copy'],
  notOutside: notOutside.otherProcess,
  failures: 'A store that makes missing buckets',
  run: (scene: OwnScene) => refuse(scene, wrongBucket),
})

/** Tempo reads its store before anything else, and ends if it cannot. */
async function refuse(scene: OwnScene, { name, options, refusal }: WrongLaunch): Promise<Observation> {
  const prefix = sidePrefix(scene, name)
  const log = await launchExpectingFailure(scene, name, { ...options(scene), prefix })
  if (log === null) return broken('it became ready', 'it should have ended at its start')
  const said = refusal.exec(log)?.[0]
  return said === undefined
    ? broken(`it ended, but not for that: ${log.slice(-300)}`, 'the store should have refused')
    : holds(`it ends at its start (${said})`)
}

/** A wrong prefix shows only by finding nothing: so it reaches no objects of others. */
export const nothingElsewhere = proofCheck({
  id: 'tempo.wrong-prefix',
  sentence: 'Under another prefix a fresh Tempo starts and finds nothing',
  needs: { landing },
  notOutside: notOutside.otherProcess,
  failures: 'Prefixes that are ignored, or reach into each other',
  async run(scene: OwnScene): Promise<Observation> {
    const { marker, orgId, waits } = scene
    const tempo = await launch(scene, 'wrong-prefix', { prefix: sidePrefix(scene, 'elsewhere') })
    try {
      const trace = await traceById({ url: tempo.url, orgId }, marker.traceId)
      const atOnce = { ...scene, waits: { ...waits, landing: 0 } }
      const search = await searchTrace(atOnce, tempo, 'wrong-prefix')
      const seen = `ready; finds ${trace === null ? 'nothing' : 'the trace'} by its id, ${search.holds ? 'the trace' : 'nothing'} by search`
      return trace === null && !search.holds
        ? holds(seen)
        : broken(seen, 'the trace lies below another prefix')
    } finally {
      await tempo.kill()
    }
  },
})

export const outage = outageCheck({
  server: 'tempo',
  sentence:
    'A trace that Tempo took while the store was out of reach is in the bucket afterwards, and is found',
  failures: 'Blocks given up after too few tries, a route that was not cut',
  ...{ object: 'block', lost: 'the trace is lost', preflight },
  metric: 'tempo_ingester_failed_flushes_total',
  send: ({ orgId, marker }, otlpUrl) => sendTrace({ otlpUrl, orgId }, marker),
  find: (scene, { before }) => findBlock(scene, scene.prefix, { before }),
  async readBack(scene, reader) {
    const trace = await traceOf(scene, reader, 'outage')
    return trace === null
      ? broken('a fresh Tempo has no such trace', 'it is in the bucket')
      : judgeTrace(scene.marker, trace)
  },
})
