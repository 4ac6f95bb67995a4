import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { metricSum } from '../formats/prometheus-text.ts'
import { type LaunchOptions, launch, launchInVain, sidePrefix } from '../scene.ts'
import { ask, described } from '../servers/ask.ts'
import { flushLoki, queryLines } from '../servers/loki-api.ts'
import { sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findForetold } from './loki-landing.ts'
import { rangeOf, streamQuery } from './loki-main.ts'
import type { LokiScene } from './loki-scene.ts'
import { absentBucket, bucketRefusal, secretRefusal, wrongCredentials } from './refusals.ts'

export function refuseWrongSecret(scene: LokiScene): Promise<Observation> {
  const credentials = wrongCredentials(scene)
  return refuse(scene, 'wrong-secret', { credentials }, secretRefusal)
}

export function refuseWrongBucket(scene: LokiScene): Promise<Observation> {
  return refuse(scene, 'wrong-bucket', { bucket: absentBucket(scene) }, bucketRefusal)
}

/** Loki has two ways of being refused: it goes on and only counts, or, with retention on, it does not start. */
async function refuse(
  scene: LokiScene,
  name: 'wrong-secret' | 'wrong-bucket',
  wrong: LaunchOptions,
  refusal: RegExp,
): Promise<Observation> {
  const options = { ...wrong, prefix: sidePrefix(scene, name) }
  const [counted, ended] = await Promise.all([
    countFailedFlushes(scene, name, options, refusal),
    endAtStart(scene, `${name}-retention`, options, refusal),
  ])
  const seen = `${counted.seen}; ${ended.seen}`
  const reason = [counted.reason, ended.reason].filter((part) => part !== undefined).join('; ')
  return counted.holds && ended.holds ? holds(seen) : broken(seen, reason)
}

/** Ready, takes the line, and cannot keep it: only its metric and its log tell. */
async function countFailedFlushes(
  scene: LokiScene,
  name: string,
  options: LaunchOptions & { prefix: string },
  refusal: RegExp,
): Promise<Observation> {
  const { orgId, marker, waits, signal } = scene
  const { prefix } = options
  const loki = await launch(scene, name, options)
  try {
    const sent = await sendLog({ otlpUrl: loki.otlpUrl, orgId }, marker)
    await flushLoki({ url: loki.url, orgId })
    const failures = await until(waits.refusal, () => failedFlushes(loki.url), signal)
    const said = await until(waits.refusal, async () => refusal.exec(await loki.log())?.[0] ?? null, signal)
    const seen = `ready, OTLP ${described(sent)}, ${failures ?? 0} failed flushes (${said ?? 'no refusal in its log'})`
    if (failures === null || said === null) {
      return broken(seen, 'the store should have refused, and Loki counted it')
    }
    // One refusal says nothing of the try after it.
    const landed = await findForetold({ ...scene, prefix })
    return landed === null ? holds(seen) : broken(`${seen}; ${landed.key}`, 'nothing should have landed')
  } finally {
    await loki.kill()
  }
}

/** `loki_ingester_chunks_flush_failures_total`, or `null` while there are none. */
export async function failedFlushes(url: string): Promise<number | null> {
  const { text } = await ask(`${url}/metrics`)
  return metricSum(text, 'loki_ingester_chunks_flush_failures_total') || null
}

async function endAtStart(
  scene: LokiScene,
  name: string,
  options: LaunchOptions,
  refusal: RegExp,
): Promise<Observation> {
  const log = await launchInVain(scene, name, { ...options, also: ['retention'] })
  if (log === null)
    return broken('with retention it became ready', 'with retention it should have ended at its start')
  const said = refusal.exec(log)?.[0]
  return said === undefined
    ? broken(`with retention it ended, but not for that: ${log.slice(-300)}`, 'the store should have refused')
    : holds(`with retention it ends at its start (${said})`)
}

/** Nothing tells that the prefix is wrong but that nothing is found: so a wrong one reaches no other's objects. */
export async function findNothingElsewhere(scene: LokiScene): Promise<Observation> {
  const { marker, orgId } = scene
  const loki = await launch(scene, 'wrong-prefix', { prefix: sidePrefix(scene, 'elsewhere') })
  try {
    const { lines, chunksDownloaded } = await queryLines(
      { url: loki.url, orgId },
      streamQuery(marker),
      rangeOf(marker),
    )
    const seen = `ready; ${lines.length} lines found, ${chunksDownloaded} chunks downloaded`
    return lines.length === 0 && chunksDownloaded === 0
      ? holds(seen)
      : broken(seen, 'the lines lie below another prefix and should be out of reach')
  } finally {
    await loki.kill()
  }
}
