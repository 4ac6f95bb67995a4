import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { type LaunchOptions, launch, launchInVain, sidePrefix } from '../scene.ts'
import { traceById } from '../servers/tempo-api.ts'
import { absentBucket, bucketRefusal, secretRefusal, wrongCredentials } from './refusals.ts'
import { searchTrace } from './tempo-main.ts'
import type { TempoScene } from './tempo-scene.ts'

export function refuseWrongSecret(scene: TempoScene): Promise<Observation> {
  return refuse(scene, 'wrong-secret', { credentials: wrongCredentials(scene) }, secretRefusal)
}

export function refuseWrongBucket(scene: TempoScene): Promise<Observation> {
  return refuse(scene, 'wrong-bucket', { bucket: absentBucket(scene) }, bucketRefusal)
}

/** Tempo looks at its store before anything else, and ends where it cannot. */
async function refuse(
  scene: TempoScene,
  name: 'wrong-secret' | 'wrong-bucket',
  wrong: LaunchOptions,
  refusal: RegExp,
): Promise<Observation> {
  const log = await launchInVain(scene, name, { ...wrong, prefix: sidePrefix(scene, name) })
  if (log === null) return broken('it became ready', 'it should have ended at its start')
  const said = refusal.exec(log)?.[0]
  return said === undefined
    ? broken(`it ended, but not for that: ${log.slice(-300)}`, 'the store should have refused')
    : holds(`it ends at its start (${said})`)
}

/** Nothing tells that the prefix is wrong but that nothing is found: so a wrong one reaches no other's objects. */
export async function findNothingElsewhere(scene: TempoScene): Promise<Observation> {
  const { marker, orgId } = scene
  const tempo = await launch(scene, 'wrong-prefix', { prefix: sidePrefix(scene, 'elsewhere') })
  try {
    const trace = await traceById({ url: tempo.url, orgId }, marker.traceId)
    const search = await searchTrace(
      { ...scene, waits: { ...scene.waits, landing: 0 } },
      tempo,
      'wrong-prefix',
    )
    const seen = `ready; finds ${trace === null ? 'nothing' : 'the trace'} by its id, ${search.holds ? 'the trace' : 'nothing'} by search`
    return trace === null && !search.holds ? holds(seen) : broken(seen, 'the trace lies below another prefix')
  } finally {
    await tempo.kill()
  }
}
