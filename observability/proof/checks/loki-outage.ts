import { broken, type Observation } from '../../../service/cli/checks/check.ts'
import { newMarker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix } from '../scene.ts'
import { described, isSuccess } from '../servers/ask.ts'
import { flushLoki } from '../servers/loki-api.ts'
import { sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findPlanned } from './loki-landing.ts'
import { judgeLines, preflight, queryMarker } from './loki-main.ts'
import { failedFlushes } from './loki-refusals.ts'
import { proofCheck } from './proof-check.ts'

/**
 * Cuts Loki's route to the store, writes, flushes in vain, restores the route, and waits: Loki itself has to try
 * again. Then a fresh Loki has to give the lines back.
 */
export const outage = proofCheck({
  id: 'loki.outage',
  sentence:
    'Lines that Loki took while the store was out of reach are in the bucket afterwards, and are found',
  needs: { preflight },
  part: 'all',
  notOutside: 'it would cut the deployment off from its store',
  failures: 'Chunks given up after too few tries, a WAL switched off, a route that was not cut',
  async run(scene: OwnScene): Promise<Observation> {
    const { deployment, orgId, waits, signal } = scene
    const route = await deployment.openRoute()
    const during: Scene = { ...scene, prefix: sidePrefix(scene, 'outage'), marker: newMarker() }
    const options = { prefix: during.prefix, route }
    const loki = await launch(scene, 'outage', options)
    await route.cut()
    const sent = await sendLog({ otlpUrl: loki.otlpUrl, orgId }, during.marker)
    const flushed = await flushLoki({ url: loki.url, orgId })
    const failures = await until(waits.refusal, () => failedFlushes(loki.url), signal)
    const early = await findPlanned(during)
    await route.restore()
    const seen = `OTLP ${described(sent)}, flush ${described(flushed)}, ${failures ?? 0} failed flushes`
    if (!isSuccess(sent) || failures === null || early !== null) {
      return broken(seen, 'the store should have been out of reach, and Loki have taken the lines')
    }
    const restored = performance.now()
    const chunk = await until(waits.recovery, () => findPlanned(during), signal)
    const seconds = Math.round((performance.now() - restored) / 1000)
    if (chunk === null) return broken(`${seen}; no chunk ${seconds} s after it`, 'the lines are lost')
    await loki.stop()
    const reader = await launch(scene, 'outage-fresh', options)
    const answer = judgeLines(during.marker, await queryMarker(during, reader, 'outage'))
    await reader.kill()
    return { ...answer, seen: `${seen}; chunk ${seconds} s after it; ${answer.seen}` }
  },
})
