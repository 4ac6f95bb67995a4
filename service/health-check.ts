import { listenerUrl } from './config/config.ts'

/** The argument with which the executable asks the service in the same container whether it is alive. */
export const livenessFlag = '--health'

/** For a busy machine; an orchestrator allows more (compose/stacks/documents.yaml). */
const answerMillisecondsMax = 10_000

/**
 * Asks `/livez` of the service that listens on this machine. Liveness only: an orchestrator ends what is not healthy, and
 * an outage of the object store must not end the service.
 *
 * @param where as `HOST` and `PORT` say; default: those of the service.
 * @returns true if it is answered with 200 in time.
 */
export async function isAlive({ HOST = '127.0.0.1', PORT = '8080' }: Where): Promise<boolean> {
  try {
    const url = `${listenerUrl(HOST, PORT, '127.0.0.1')}/livez`
    const signal = AbortSignal.timeout(answerMillisecondsMax)
    // Docker's setting `proxies` gives HTTP_PROXY to every container, and no proxy can reach this service for it.
    return (await fetch(url, { proxy: false, signal })).status === 200
  } catch {
    return false
  }
}

interface Where {
  HOST?: string | undefined
  PORT?: string | undefined
}
