import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import { merged } from '../../config/yaml.ts'
import { type Marker, newMarker } from '../marker.ts'
import { launch, type Scene, sidePrefix } from '../scene.ts'
import { described, isSuccess } from '../servers/ask.ts'
import { sendTrace } from '../servers/otlp.ts'
import { flushTempo, traceById } from '../servers/tempo-api.ts'
import { listObjects } from '../store/bucket-listing.ts'
import { until } from '../until.ts'
import { findBlock, type LandedBlock } from './tempo-landing.ts'
import type { TempoScene } from './tempo-scene.ts'

const minuteMilliseconds = 60_000
const oldMinutes = 120

/** Two blocks: the one whose trace is older than the retention goes, and only that one. */
export async function applyRetention(scene: TempoScene): Promise<Observation> {
  const prefix = sidePrefix(scene, 'upkeep')
  const side = (marker: Marker): Scene => ({ ...scene, prefix, marker })
  const old = side(newMarker(Date.now() - oldMinutes * minuteMilliseconds))
  const kept = side(newMarker())
  const writer = await launch(scene, 'upkeep-writer', { prefix, alter: takeOldTraces })
  const oldBlock = await landBlock(old, writer)
  const keptBlock = await landBlock(kept, writer)
  await writer.stop()
  const started = performance.now()
  const tempo = await launch(scene, 'upkeep', { prefix, also: ['retention'], alter: hasten })
  const gone = await until(
    scene.waits.removal,
    async () => ((await isThere(old, oldBlock)) ? null : true),
    scene.signal,
  )
  const seconds = Math.round((performance.now() - started) / 1000)
  if (gone === null)
    return broken(
      `the block of ${oldMinutes} min ago is there after ${seconds} s`,
      'it has passed its retention',
    )
  if (!(await isUnmarked(kept, keptBlock)))
    return broken('the block of now is gone, too', 'only the old one may go')
  const trace = await traceById({ url: tempo.url, orgId: scene.orgId }, kept.marker.traceId)
  const seen = `the block of ${oldMinutes} min ago went after ${seconds} s, the one of now is there`
  return trace === null
    ? broken(`${seen}; its trace is not found`, 'it should be')
    : holds(`${seen} and its trace is found`)
}

async function landBlock(scene: Scene, writer: { url: string; otlpUrl: string }): Promise<LandedBlock> {
  const { orgId, marker, waits, signal, prefix } = scene
  const sent = await sendTrace({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent)) throw new Error(`Tempo did not take the trace: ${described(sent)}`)
  await flushTempo({ url: writer.url, orgId })
  const block = await until(waits.landing, () => findBlock(scene, prefix), signal)
  if (block === null) throw new Error('the trace did not land before retention could begin')
  return block
}

/** True while any object of the block is in the bucket. */
async function isThere({ objects }: Scene, { folder }: LandedBlock): Promise<boolean> {
  return (await listObjects(objects, folder)).size > 0
}

/** True while the block is as it was written: what is to go gets another meta first. */
async function isUnmarked({ objects }: Scene, { folder }: LandedBlock): Promise<boolean> {
  return (await objects.head(`${folder}meta.json`)) !== null
}

/** Without it a block's times are those of its arrival, where its spans are older than two minutes. */
function takeOldTraces(config: YamlMapping): YamlMapping {
  const wal = { ingestion_time_range_slack: `${2 * oldMinutes}m` }
  return merged(config, { storage: { trace: { wal } } })
}

/** What retention does in days, in seconds. */
function hasten(config: YamlMapping): YamlMapping {
  const compaction = { block_retention: `${oldMinutes / 2}m`, compacted_block_retention: '1s' }
  return merged(config, { compactor: { compaction }, storage: { trace: { blocklist_poll: '2s' } } })
}
