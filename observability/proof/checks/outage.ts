import { broken, type Check, type Observation } from '../../../service/cli/checks/check.ts'
import type { RunningServer, ServerName } from '../deployment.ts'
import { metricSum } from '../formats/prometheus-text.ts'
import { newMarker } from '../marker.ts'
import { launch, type OwnScene, type Scene, sidePrefix } from '../scene.ts'
import { type Answer, ask, described, flush, isSuccess } from '../servers/ask.ts'
import { until } from '../until.ts'
import { proofCheck } from './proof-check.ts'
import type { BucketBefore } from './store-checks.ts'

/** What differs between the outages of Loki and Tempo. */
export interface OutageSteps {
  server: ServerName
  sentence: string
  failures: string
  /** The object that the lines or the trace become. */
  object: 'chunk' | 'block'
  /** The reason of a failure: `the lines are lost`. */
  lost: string
  /** Counter of failed flushes. */
  metric: string
  preflight: Check<never, BucketBefore>
  /** Sends the marker of the scene over OTLP. */
  send(scene: Scene, otlpUrl: string): Promise<Answer>
  /** Returns `null` while what was sent is not in the bucket. */
  find(scene: Scene, bucket: BucketBefore): Promise<object | null>
  /** Asks a fresh server for what was sent. */
  readBack(scene: Scene, reader: RunningServer): Promise<Observation>
}

/**
 * Returns the check that cuts the server's route to the store, writes, flushes in vain, restores the route, and waits:
 * the server itself has to try again. Then a fresh server has to return what was sent.
 */
export function outageCheck(steps: OutageSteps) {
  const { server, sentence, failures, object, lost, metric, preflight } = steps
  return proofCheck({
    id: `${server}.outage`,
    sentence,
    needs: { preflight },
    part: 'all',
    notOutside: 'it would cut the deployment off from its store',
    failures,
    async run(scene: OwnScene, { preflight: bucket }): Promise<Observation> {
      const { deployment, waits, signal, title } = scene
      const route = await deployment.openRoute()
      const during: Scene = { ...scene, prefix: sidePrefix(scene, 'outage'), marker: newMarker() }
      const options = { prefix: during.prefix, route }
      const writer = await launch(scene, 'outage', options)
      await route.cut()
      const taken = await steps.send(during, writer.otlpUrl)
      const flushed = await flush({ url: writer.url, orgId: scene.orgId })
      const failed = await until(waits.refusal, () => counterOf(writer.url, metric), signal)
      const early = await steps.find(during, bucket)
      await route.restore()
      const seen = `OTLP ${described(taken)}, flush ${described(flushed)}, ${failed ?? 0} failed flushes`
      if (!isSuccess(taken) || failed === null || early !== null) {
        return broken(seen, `the store should have been out of reach, and ${title} have taken the data`)
      }
      const restored = performance.now()
      const landed = await until(waits.recovery, () => steps.find(during, bucket), signal)
      const seconds = Math.round((performance.now() - restored) / 1000)
      if (landed === null) return broken(`${seen}; no ${object} ${seconds} s after it`, lost)
      await writer.stop()
      const reader = await launch(scene, 'outage-fresh', options)
      const answer = await steps.readBack(during, reader)
      await reader.kill()
      return { ...answer, seen: `${seen}; ${object} ${seconds} s after it; ${answer.seen}` }
    },
  })
}

/** Returns the value of a counter of a server, or `null` while it is absent or 0. */
export async function counterOf(url: string, metric: string): Promise<number | null> {
  const { text } = await ask(`${url}/metrics`)
  return metricSum(text, metric) || null
}
