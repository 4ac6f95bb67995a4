import { broken, type Observation } from '../../../service/cli/checks/check.ts'
import { metricSum } from '../formats/prometheus-text.ts'
import { newMarker } from '../marker.ts'
import { launch, type Scene, sidePrefix } from '../scene.ts'
import { ask, described, isSuccess } from '../servers/ask.ts'
import { sendTrace } from '../servers/otlp.ts'
import { flushTempo } from '../servers/tempo-api.ts'
import { until } from '../until.ts'
import { findBlock } from './tempo-landing.ts'
import { judgeTrace, traceOf } from './tempo-main.ts'
import type { TempoScene } from './tempo-scene.ts'

/**
 * Cuts Tempo's way to the store, writes, flushes in vain, mends it, and waits: Tempo itself has to try again. Then
 * a fresh Tempo has to give the trace back.
 */
export async function surviveOutage(scene: TempoScene): Promise<Observation> {
  const { deployment, orgId, waits, signal } = scene
  const route = await deployment.openRoute()
  const during: Scene = { ...scene, prefix: sidePrefix(scene, 'outage'), marker: newMarker() }
  const { prefix } = during
  const tempo = await launch(scene, 'outage', { prefix, route })
  await route.cut()
  const sent = await sendTrace({ otlpUrl: tempo.otlpUrl, orgId }, during.marker)
  const flushed = await flushTempo({ url: tempo.url, orgId })
  const failures = await until(waits.refusal, () => failedFlushes(tempo.url), signal)
  const early = await findBlock(during, prefix)
  await route.mend()
  const outage = `OTLP ${described(sent)}, flush ${described(flushed)}, ${failures ?? 0} failed flushes`
  if (!isSuccess(sent) || failures === null || early !== null) {
    return broken(outage, 'the store should have been out of reach, and Tempo have taken the trace')
  }
  const mended = performance.now()
  const block = await until(waits.recovery, () => findBlock(during, prefix), signal)
  const seconds = Math.round((performance.now() - mended) / 1000)
  if (block === null) return broken(`${outage}; no block ${seconds} s after it`, 'the trace is lost')
  await tempo.stop()
  const reader = await launch(scene, 'outage-fresh', { prefix, route })
  const trace = await traceOf(during, reader, 'outage')
  await reader.kill()
  if (trace === null) return broken(`${outage}; a fresh Tempo has no such trace`, 'it is in the bucket')
  const answer = judgeTrace(during.marker, trace)
  return { ...answer, seen: `${outage}; block ${seconds} s after it; ${answer.seen}` }
}

/** `tempo_ingester_failed_flushes_total`, or `null` while there are none. */
async function failedFlushes(url: string): Promise<number | null> {
  const { text } = await ask(`${url}/metrics`)
  return metricSum(text, 'tempo_ingester_failed_flushes_total') || null
}
