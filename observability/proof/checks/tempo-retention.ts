import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import { merged } from '../../config/yaml.ts'
import type { Writer } from '../deployment.ts'
import { type Marker, newMarker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix } from '../scene.ts'
import { described, flush, isSuccess } from '../servers/ask.ts'
import { sendTrace } from '../servers/otlp.ts'
import { traceById } from '../servers/tempo-api.ts'
import { type Listing, listObjects } from '../store/objects.ts'
import { until } from '../until.ts'
import { proofCheck } from './proof-check.ts'
import { findBlock, type LandedBlock } from './tempo-landing.ts'
import { copy, preflight } from './tempo-main.ts'

const minuteMilliseconds = 60_000
const expiredMinutes = 120

/** Two blocks: the one whose trace is older than the retention goes, and only that one. */
export const retention = proofCheck({
  id: 'tempo.retention',
  sentence: 'Retention removes the block that is too old from the bucket, and no other',
  needs: { copy, preflight },
  part: 'all',
  notOutside: 'retention of a deployment is days',
  failures: 'Copying fails, a compactor that does not run, another retention than is believed',
  async run(scene: OwnScene, { preflight: { before } }): Promise<Observation> {
    const { objects, waits, signal, orgId } = scene
    const prefix = sidePrefix(scene, 'upkeep')
    const side = (marker: Marker): Scene => ({ ...scene, prefix, marker })
    const kept = newMarker()
    const writer = await launch(scene, 'upkeep-writer', { prefix, alter: takeOldTraces })
    const old = side(newMarker(Date.now() - expiredMinutes * minuteMilliseconds))
    const oldBlock = await landBlock(old, writer, before)
    const keptBlock = await landBlock(side(kept), writer, before)
    await writer.stop()
    const started = performance.now()
    const tempo = await launch(scene, 'upkeep', { prefix, also: ['retention'], alter: hasten })
    const look = async () => ((await listObjects(objects, oldBlock.named.folder)).size === 0 ? true : null)
    const gone = await until(waits.removal, look, signal)
    const seconds = Math.round((performance.now() - started) / 1000)
    if (gone === null)
      return broken(
        `the block of ${expiredMinutes} min ago is there after ${seconds} s`,
        'it is older than the retention',
      )
    // A block that is to go gets another meta file first.
    if ((await objects.head(`${keptBlock.named.folder}meta.json`)) === null)
      return broken('the block of now is gone, too', 'only the old one may go')
    const trace = await traceById({ url: tempo.url, orgId }, kept.traceId)
    const seen = `the block of ${expiredMinutes} min ago went after ${seconds} s, the one of now is there`
    return trace === null
      ? broken(`${seen}; its trace is not found`, 'it should be')
      : holds(`${seen} and its trace is found`)
  },
})

async function landBlock(scene: Scene, writer: Writer, before: Listing): Promise<LandedBlock> {
  const { orgId, marker, waits, signal, prefix } = scene
  const sent = await sendTrace({ otlpUrl: writer.otlpUrl, orgId }, marker)
  if (!isSuccess(sent)) throw new Error(`Tempo did not take the trace: ${described(sent)}`)
  await flush({ url: writer.url, orgId })
  const block = await until(waits.landing, () => findBlock(scene, prefix, { before }), signal)
  if (block === null) throw new Error('the trace did not land before retention could begin')
  return block
}

/** Without it a block's times are those of its arrival if its spans are older than two minutes. */
function takeOldTraces(config: YamlMapping): YamlMapping {
  const wal = { ingestion_time_range_slack: `${2 * expiredMinutes}m` }
  return merged(config, { storage: { trace: { wal } } })
}

/** Retention in seconds instead of days. */
function hasten(config: YamlMapping): YamlMapping {
  const compaction = { block_retention: `${expiredMinutes / 2}m`, compacted_block_retention: '1s' }
  return merged(config, { compactor: { compaction }, storage: { trace: { blocklist_poll: '2s' } } })
}
