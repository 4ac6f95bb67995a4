import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { launch, launchExpectingFailure, type OwnScene, sidePrefix } from '../scene.ts'
import { traceById } from '../servers/tempo-api.ts'
import { notOutside, proofCheck } from './proof-check.ts'
import { type WrongLaunch, wrongBucket, wrongSecret } from './refusals.ts'
import { landing, preflight, searchTrace } from './tempo-main.ts'

export const wrongSecretRefused = proofCheck({
  id: 'tempo.wrong-secret',
  sentence: 'With a wrong secret Tempo does not start',
  needs: { preflight },
  after: ['tempo.copy'],
  part: 'default',
  notOutside: notOutside.otherProcess,
  failures: 'A store that accepts any key',
  run: (scene: OwnScene) => refuse(scene, wrongSecret),
})

export const wrongBucketRefused = proofCheck({
  id: 'tempo.wrong-bucket',
  sentence: 'With an absent bucket Tempo does not start',
  needs: { preflight },
  after: ['tempo.copy'],
  part: 'default',
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
  part: 'default',
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
