/** The argument with which the executable asks the service beside it, in the same container, whether it lives. */
export const livenessFlag = '--health'

/** On a machine that has no time for it: an orchestrator gives it longer (compose/documents.yaml). */
const answerMillisecondsMax = 10_000

/**
 * Asks `/livez` of the service that listens on this machine at `port`. Liveness only: an orchestrator ends what is
 * not healthy, and an outage of the object store must not end anything.
 *
 * @param port as `PORT` says; default: that of the service.
 * @returns true if it is answered with 200 in time.
 */
export async function isAlive(port = '8080'): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(answerMillisecondsMax)
    return (await fetch(`http://127.0.0.1:${port}/livez`, { signal })).status === 200
  } catch {
    return false
  }
}
