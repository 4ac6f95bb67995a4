import { broken, holds, type Observation } from '../../../service/cli/checks/check.ts'
import { type LaunchOptions, launch, launchExpectingFailure, type OwnScene, sidePrefix } from '../scene.ts'
import { described, flush } from '../servers/ask.ts'
import { queryLines } from '../servers/loki-api.ts'
import { sendLog } from '../servers/otlp.ts'
import { until } from '../until.ts'
import { findPlanned } from './loki-landing.ts'
import { index, judgeLines, preflight, queryMarker, rangeOf, streamQuery } from './loki-main.ts'
import { counterOf, outageCheck } from './outage.ts'
import { notOutside, proofCheck } from './proof-check.ts'
import { type WrongLaunch, wrongBucket, wrongSecret } from './refusals.ts'

/** Counter of Loki: the only sign of chunks that cannot be written. */
const failedFlushes = 'loki_ingester_chunks_flush_failures_total'

export const wrongSecretRefused = proofCheck({
  id: 'loki.wrong-secret',
  sentence:
    'With a wrong secret nothing lands: Loki counts failed flushes, and with retention it does not start',
  needs: { preflight },
  notOutside: notOutside.otherProcess,
  failures: 'A store that accepts any key; a Loki that no longer counts what it cannot write',
  run: (scene: OwnScene) => refuse(scene, wrongSecret),
})

export const wrongBucketRefused = proofCheck({
  id: 'loki.wrong-bucket',
  sentence:
    'With an absent bucket nothing lands: Loki counts failed flushes, and with retention it does not start',
  needs: { preflight },
  notOutside: notOutside.otherProcess,
  failures: 'A store that makes missing buckets; a Loki that no longer counts what it cannot write',
  run: (scene: OwnScene) => refuse(scene, wrongBucket),
})

/** A refused Loki runs on and only counts failures; with retention, it does not start. */
async function refuse(scene: OwnScene, wrong: WrongLaunch): Promise<Observation> {
  const options = { ...wrong.options(scene), prefix: sidePrefix(scene, wrong.name) }
  const [counted, ended] = await Promise.all([
    countFailedFlushes(scene, wrong, options),
    endAtStart(scene, wrong, options),
  ])
  const seen = `${counted.seen}; ${ended.seen}`
  const reasons = [counted, ended].flatMap((one) => (one.holds ? [] : [one.reason]))
  return reasons.length === 0 ? holds(seen) : broken(seen, reasons.join('; '))
}

/** Ready, takes the lines, and cannot keep them: only its metric and its log say so. */
async function countFailedFlushes(
  scene: OwnScene,
  { name, refusal }: WrongLaunch,
  options: LaunchOptions & { prefix: string },
): Promise<Observation> {
  const { orgId, marker, waits, signal } = scene
  const { prefix } = options
  const loki = await launch(scene, name, options)
  try {
    const sent = await sendLog({ otlpUrl: loki.otlpUrl, orgId }, marker)
    await flush({ url: loki.url, orgId })
    const failures = await until(waits.refusal, () => counterOf(loki.url, failedFlushes), signal)
    const said = await until(waits.refusal, async () => refusal.exec(await loki.log())?.[0] ?? null, signal)
    const seen = `ready, OTLP ${described(sent)}, ${failures ?? 0} failed flushes (${said ?? 'no refusal in its log'})`
    if (failures === null || said === null) {
      return broken(seen, 'the store should have refused, and Loki counted it')
    }
    // One refusal says nothing about the next attempt.
    const landed = await findPlanned({ ...scene, prefix })
    return landed === null ? holds(seen) : broken(`${seen}; ${landed.key}`, 'nothing should have landed')
  } finally {
    await loki.kill()
  }
}

async function endAtStart(
  scene: OwnScene,
  { name, refusal }: WrongLaunch,
  options: LaunchOptions,
): Promise<Observation> {
  const log = await launchExpectingFailure(scene, `${name}-retention`, { ...options, also: ['retention'] })
  if (log === null)
    return broken('with retention it became ready', 'with retention it should have ended at its start')
  const said = refusal.exec(log)?.[0]
  return said === undefined
    ? broken(`with retention it ended, but not for that: ${log.slice(-300)}`, 'the store should have refused')
    : holds(`with retention it ends at its start (${said})`)
}

/** A wrong prefix shows only by finding nothing: so it reaches no objects of others. */
export const nothingElsewhere = proofCheck({
  id: 'loki.wrong-prefix',
  sentence: 'Under another prefix a fresh Loki starts and finds nothing',
  needs: { index },
  notOutside: notOutside.otherProcess,
  failures: 'Prefixes that are ignored, or reach into each other',
  async run(scene: OwnScene): Promise<Observation> {
    const { marker, orgId } = scene
    const loki = await launch(scene, 'wrong-prefix', { prefix: sidePrefix(scene, 'elsewhere') })
    try {
      const target = { url: loki.url, orgId }
      const { lines, chunksDownloaded } = await queryLines(target, streamQuery(marker), rangeOf(marker))
      const seen = `ready; ${lines.length} lines found, ${chunksDownloaded} chunks downloaded`
      return lines.length === 0 && chunksDownloaded === 0
        ? holds(seen)
        : broken(seen, 'the lines lie below another prefix and should be out of reach')
    } finally {
      await loki.kill()
    }
  },
})

export const outage = outageCheck({
  server: 'loki',
  sentence:
    'Lines that Loki took while the store was out of reach are in the bucket afterwards, and are found',
  failures: 'Chunks given up after too few tries, a WAL switched off, a route that was not cut',
  ...{ object: 'chunk', lost: 'the lines are lost', metric: failedFlushes, preflight },
  send: ({ orgId, marker }, otlpUrl) => sendLog({ otlpUrl, orgId }, marker),
  find: (scene) => findPlanned(scene),
  readBack: async (scene, reader) => judgeLines(scene.marker, await queryMarker(scene, reader, 'outage')),
})
