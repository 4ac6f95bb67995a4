import { broken, type Observation } from '../../../service/cli/checks/check.ts'
import { newMarker } from '../marker.ts'
import { launch, type Scene, sidePrefix } from '../scene.ts'
import { described, isSuccess } from '../servers/ask.ts'
import { flushLoki } from '../servers/loki-api.ts'
import { sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findForetold } from './loki-landing.ts'
import { judgeLines, queryMarker } from './loki-main.ts'
import { failedFlushes } from './loki-refusals.ts'
import type { LokiScene } from './loki-scene.ts'

/**
 * Cuts Loki's way to the store, writes, flushes in vain, mends it, and waits: Loki itself has to try again. Then
 * a fresh Loki has to give the lines back.
 */
export async function surviveOutage(scene: LokiScene): Promise<Observation> {
  const { deployment, orgId, waits, signal } = scene
  const route = await deployment.openRoute()
  const during: Scene = { ...scene, prefix: sidePrefix(scene, 'outage'), marker: newMarker() }
  const options = { prefix: during.prefix, route }
  const loki = await launch(scene, 'outage', options)
  await route.cut()
  const sent = await sendLog({ otlpUrl: loki.otlpUrl, orgId }, during.marker)
  const flushed = await flushLoki({ url: loki.url, orgId })
  const failures = await until(waits.refusal, () => failedFlushes(loki.url), signal)
  const early = await findForetold(during)
  await route.mend()
  const outage = `OTLP ${described(sent)}, flush ${described(flushed)}, ${failures ?? 0} failed flushes`
  if (!isSuccess(sent) || failures === null || early !== null) {
    return broken(outage, 'the store should have been out of reach, and Loki have taken the lines')
  }
  const mended = performance.now()
  const chunk = await until(waits.recovery, () => findForetold(during), signal)
  const seconds = Math.round((performance.now() - mended) / 1000)
  if (chunk === null) return broken(`${outage}; no chunk ${seconds} s after it`, 'the lines are lost')
  await loki.stop()
  const reader = await launch(scene, 'outage-fresh', options)
  const answer = judgeLines(during.marker, await queryMarker(during, reader, 'outage'))
  await reader.kill()
  return { ...answer, seen: `${outage}; chunk ${seconds} s after it; ${answer.seen}` }
}
