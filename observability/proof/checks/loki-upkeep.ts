import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import { merged } from '../../config/yaml.ts'
import type { RunningServer } from '../deployment.ts'
import { type Marker, newMarker } from '../marker.ts'
import { launch, type Scene, sidePrefix } from '../scene.ts'
import { described, isSuccess } from '../servers/ask.ts'
import { deletions, flushLoki, queryLines, requestDeletion } from '../servers/loki-api.ts'
import { linesOf, sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findForetold } from './loki-landing.ts'
import { rangeOf, streamQuery } from './loki-main.ts'
import type { LokiScene } from './loki-scene.ts'

/** Three streams in one bucket: one too old to be kept, one to be deleted, and one that nothing may happen to. */
export interface Upkeep {
  loki: RunningServer
  old: Scene
  doomed: Scene
  kept: Scene
}

const hourMilliseconds = 60 * 60 * 1000
/** Loki's shortest retention is 24 hours, and it takes lines of up to a week ago. */
const oldHours = 48

/**
 * Loki with retention as it is configured, but with times that one can wait for. A Loki on the disk on which the
 * lines were written would bring them back from its log; so it is another one.
 */
export function startUpkeep(scene: LokiScene): Promise<Upkeep> {
  scene.upkeep ??= prepareUpkeep(scene)
  return scene.upkeep
}

async function prepareUpkeep(scene: LokiScene): Promise<Upkeep> {
  const prefix = sidePrefix(scene, 'upkeep')
  const side = (marker: Marker): Scene => ({ ...scene, prefix, marker })
  const old = side(newMarker(Date.now() - oldHours * hourMilliseconds))
  const doomed = side(newMarker())
  const kept = side(newMarker())
  const writer = await launch(scene, 'upkeep-writer', { prefix })
  for (const { marker, orgId } of [old, doomed, kept]) {
    const sent = await sendLog({ otlpUrl: writer.otlpUrl, orgId }, marker)
    if (!isSuccess(sent)) throw new Error(`Loki did not take the lines: ${described(sent)}`)
  }
  await flushLoki({ url: writer.url, orgId: scene.orgId })
  // The compactor works on what is in the store: the index gets there at the end.
  await writer.stop()
  for (const one of [old, doomed, kept]) {
    if ((await until(scene.waits.landing, () => findForetold(one), scene.signal)) === null) {
      throw new Error('the lines did not land before retention and deletion could begin')
    }
  }
  const loki = await launch(scene, 'upkeep', { prefix, also: ['retention'], alter: hasten })
  return { loki, old, doomed, kept }
}

/** What retention does in hours, in seconds. The shortest retention there is stays. */
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

export async function applyRetention(scene: LokiScene): Promise<Observation> {
  const { old, kept } = await startUpkeep(scene)
  const started = performance.now()
  const gone = await until(
    scene.waits.removal,
    async () => ((await findForetold(old)) === null ? true : null),
    scene.signal,
  )
  const seconds = Math.round((performance.now() - started) / 1000)
  if (gone === null)
    return broken(`the chunk of ${oldHours} h ago is there after ${seconds} s`, '24 h are to be kept')
  return (await findForetold(kept)) === null
    ? broken('the chunk of now is gone, too', 'only the old one may go')
    : holds(`the chunk of ${oldHours} h ago went after ${seconds} s, the one of now is there`)
}

export async function applyDeletion(scene: LokiScene): Promise<Observation> {
  const { loki, doomed, kept } = await startUpkeep(scene)
  const { orgId, waits, signal } = scene
  const target = { url: loki.url, orgId }
  const started = performance.now()
  const asked = await requestDeletion(target, streamQuery(doomed.marker), rangeOf(doomed.marker))
  if (!isSuccess(asked)) return broken(`the request was answered ${described(asked)}`, 'Loki has to take it')
  const chunkGone = await until(
    waits.removal,
    async () => ((await findForetold(doomed)) === null ? true : null),
    signal,
  )
  const seconds = Math.round((performance.now() - started) / 1000)
  const statuses = (await deletions(target)).map(({ status }) => status).join(', ')
  if (chunkGone === null)
    return broken(`the chunk is there after ${seconds} s (${statuses})`, 'it was to be deleted')
  const answer = await queryLines(target, streamQuery(doomed.marker), rangeOf(doomed.marker))
  const other = await queryLines(target, streamQuery(kept.marker), rangeOf(kept.marker))
  const expected = linesOf(kept.marker).length
  const seen = `the chunk went after ${seconds} s; ${answer.lines.length} of its lines answered, ${other.lines.length} of another stream`
  return answer.lines.length === 0 && other.lines.length === expected
    ? holds(seen)
    : broken(seen, `none of them, and all ${expected} of the other stream, should be there`)
}
