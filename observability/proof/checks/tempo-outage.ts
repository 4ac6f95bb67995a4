import { broken, type Observation } from '../../../service/cli/checks/check.ts'
import { metricSum } from '../formats/prometheus-text.ts'
import { newMarker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix } from '../scene.ts'
import { ask, described, isSuccess } from '../servers/ask.ts'
import { sendTrace } from '../servers/otlp.ts'
import { flushTempo } from '../servers/tempo-api.ts'
import { until } from '../until.ts'
import { proofCheck } from './proof-check.ts'
import { findBlock } from './tempo-landing.ts'
import { judgeTrace, preflight, traceOf } from './tempo-main.ts'

/**
 * Cuts Tempo's route to the store, writes, flushes in vain, restores the route, and waits: Tempo itself has to try
 * again. Then a fresh Tempo has to give the trace back.
 */
export const outage = proofCheck({
  id: 'tempo.outage',
  sentence:
    'A trace that Tempo took while the store was out of reach is in the bucket afterwards, and is found',
  needs: { preflight },
  part: 'all',
  notOutside: 'it would cut the deployment off from its store',
  failures: 'Blocks given up after too few tries, a route that was not cut',
  async run(scene: OwnScene, { preflight: { before } }): Promise<Observation> {
    const { deployment, orgId, waits, signal } = scene
    const route = await deployment.openRoute()
    const during: Scene = { ...scene, prefix: sidePrefix(scene, 'outage'), marker: newMarker() }
    const { prefix } = during
    const find = () => findBlock(during, prefix, { before })
    const tempo = await launch(scene, 'outage', { prefix, route })
    await route.cut()
    const sent = await sendTrace({ otlpUrl: tempo.otlpUrl, orgId }, during.marker)
    const flushed = await flushTempo({ url: tempo.url, orgId })
    const failures = await until(waits.refusal, () => failedFlushes(tempo.url), signal)
    const early = await find()
    await route.restore()
    const seen = `OTLP ${described(sent)}, flush ${described(flushed)}, ${failures ?? 0} failed flushes`
    if (!isSuccess(sent) || failures === null || early !== null) {
      return broken(seen, 'the store should have been out of reach, and Tempo have taken the trace')
    }
    const restored = performance.now()
    const block = await until(waits.recovery, find, signal)
    const seconds = Math.round((performance.now() - restored) / 1000)
    if (block === null) return broken(`${seen}; no block ${seconds} s after it`, 'the trace is lost')
    await tempo.stop()
    const reader = await launch(scene, 'outage-fresh', { prefix, route })
    const trace = await traceOf(during, reader, 'outage')
    await reader.kill()
    if (trace === null) return broken(`${seen}; a fresh Tempo has no such trace`, 'it is in the bucket')
    const answer = judgeTrace(during.marker, trace)
    return { ...answer, seen: `${seen}; block ${seconds} s after it; ${answer.seen}` }
  },
})

/** Returns `tempo_ingester_failed_flushes_total`, or `null` while there are none. */
async function failedFlushes(url: string): Promise<number | null> {
  const { text } = await ask(`${url}/metrics`)
  return metricSum(text, 'tempo_ingester_failed_flushes_total') || null
}
