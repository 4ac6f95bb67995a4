/** The argument with which the executable asks the service beside it, in the same container, whether it lives. */
export const livenessFlag = '--health'

/** On a machine that has no time for it: an orchestrator gives it longer (compose/stacks/documents.yaml). */
const answerMillisecondsMax = 10_000

/**
 * Asks `/livez` of the service that listens beside it. Liveness only: an orchestrator ends what is not healthy, and an
 * outage of the object store must not end anything.
 *
 * @param where as `HOST` and `PORT` say; default: those of the service.
 * @returns true if it is answered with 200 in time.
 */
export async function isAlive({ HOST = '127.0.0.1', PORT = '8080' }: Where): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(answerMillisecondsMax)
    return (await fetch(`http://${reachable(HOST)}:${PORT}/livez`, { signal })).status === 200
  } catch {
    return false
  }
}

interface Where {
  HOST?: string | undefined
  PORT?: string | undefined
}

/** "Every address" is none that can be connected to; with `::` those of version 4 are among them. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
