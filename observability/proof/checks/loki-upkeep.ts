import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import { merged } from '../../config/yaml.ts'
import type { RunningServer } from '../deployment.ts'
import { type Marker, newMarker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix } from '../scene.ts'
import { described, flush, isSuccess } from '../servers/ask.ts'
import { deletions, queryLines, requestDeletion } from '../servers/loki-api.ts'
import { linesOf, sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findPlanned } from './loki-landing.ts'
import { preflight, rangeOf, streamQuery } from './loki-main.ts'
import { proofCheck } from './proof-check.ts'

/** Three streams in one bucket: one beyond its retention, one to be deleted, and one that has to stay. */
interface Upkeep {
  loki: RunningServer
  expired: Scene
  deleted: Scene
  kept: Scene
}

const hourMilliseconds = 60 * 60 * 1000
/** Loki's shortest retention is 24 hours, and it takes lines of up to a week ago. */
const expiredHours = 48

/** The one Loki with retention of each proof, which two checks watch. */
const upkeeps = new WeakMap<OwnScene, Promise<Upkeep>>()

/**
 * Starts a Loki with retention as it is configured, but with times that one can wait for. It has a fresh disk: a Loki
 * on the disk on which the lines were written would bring them back from its WAL.
 */
function startUpkeep(scene: OwnScene): Promise<Upkeep> {
  const upkeep = upkeeps.get(scene) ?? prepareUpkeep(scene)
  upkeeps.set(scene, upkeep)
  return upkeep
}

async function prepareUpkeep(scene: OwnScene): Promise<Upkeep> {
  const prefix = sidePrefix(scene, 'upkeep')
  const side = (marker: Marker): Scene => ({ ...scene, prefix, marker })
  const expired = side(newMarker(Date.now() - expiredHours * hourMilliseconds))
  const deleted = side(newMarker())
  const kept = side(newMarker())
  const writer = await launch(scene, 'upkeep-writer', { prefix })
  for (const { marker, orgId } of [expired, deleted, kept]) {
    const sent = await sendLog({ otlpUrl: writer.otlpUrl, orgId }, marker)
    if (!isSuccess(sent)) throw new Error(`Loki did not take the lines: ${described(sent)}`)
  }
  await flush({ url: writer.url, orgId: scene.orgId })
  // The compactor works on what is in the store: the index arrives there when Loki ends.
  await writer.stop()
  for (const one of [expired, deleted, kept]) {
    if ((await until(scene.waits.landing, () => findPlanned(one), scene.signal)) === null) {
      throw new Error('the lines did not land before retention and deletion could begin')
    }
  }
  const loki = await launch(scene, 'upkeep', { prefix, also: ['retention'], alter: hasten })
  return { loki, expired, deleted, kept }
}

/** Retention in seconds instead of hours. The period stays the shortest that Loki accepts. */
function hasten(config: YamlMapping): YamlMapping {
  return merged(config, {
    compactor: {
      compaction_interval: '5s',
      apply_retention_interval: '5s',
      retention_delete_delay: '1s',
      delete_request_cancel_period: '0s',
    },
    limits_config: { retention_period: '24h' },
  })
}

export const retention = proofCheck({
  id: 'loki.retention',
  sentence: 'Retention removes the chunk that is too old from the bucket, and no other',
  needs: { preflight },
  part: 'all',
  notOutside: 'the shortest retention of Loki is a day',
  failures: 'A compactor that does not run or may not delete, another retention than is believed',
  async run(scene: OwnScene): Promise<Observation> {
    const { expired, kept } = await startUpkeep(scene)
    const { isGone, seconds } = await untilGone(expired)
    if (!isGone)
      return broken(`the chunk of ${expiredHours} h ago is there after ${seconds} s`, '24 h are to be kept')
    return (await findPlanned(kept)) === null
      ? broken('the chunk of now is gone, too', 'only the old one may go')
      : holds(`the chunk of ${expiredHours} h ago went after ${seconds} s, the one of now is there`)
  },
})

export const deletion = proofCheck({
  id: 'loki.delete',
  sentence: 'A deletion removes lines from answers and from the bucket, and no others',
  needs: { preflight },
  part: 'all',
  notOutside: 'it would delete',
  failures: '`delete_request_store` or `deletion_mode` missing, keys without the right to delete',
  async run(scene: OwnScene): Promise<Observation> {
    const { loki, deleted, kept } = await startUpkeep(scene)
    const target = { url: loki.url, orgId: scene.orgId }
    const asked = await requestDeletion(target, streamQuery(deleted.marker), rangeOf(deleted.marker))
    if (!isSuccess(asked))
      return broken(`the request was answered ${described(asked)}`, 'Loki has to take it')
    const { isGone, seconds } = await untilGone(deleted)
    const statuses = (await deletions(target)).map(({ status }) => status).join(', ')
    if (!isGone) return broken(`the chunk is there after ${seconds} s (${statuses})`, 'it was to be deleted')
    const answer = await queryLines(target, streamQuery(deleted.marker), rangeOf(deleted.marker))
    const other = await queryLines(target, streamQuery(kept.marker), rangeOf(kept.marker))
    const expected = linesOf(kept.marker).length
    const seen = `the chunk went after ${seconds} s; ${answer.lines.length} of its lines answered, ${other.lines.length} of another stream`
    return answer.lines.length === 0 && other.lines.length === expected
      ? holds(seen)
      : broken(seen, `none of them, and all ${expected} of the other stream, should be there`)
  },
})

/** Waits until the chunk of a stream is no longer in the bucket. */
async function untilGone(stream: Scene): Promise<{ isGone: boolean; seconds: number }> {
  const { waits, signal } = stream
  const started = performance.now()
  const look = async () => ((await findPlanned(stream)) === null ? true : null)
  const isGone = (await until(waits.removal, look, signal)) !== null
  return { isGone, seconds: Math.round((performance.now() - started) / 1000) }
}
