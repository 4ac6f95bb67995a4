import { createDocumentsClient, type DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import type { Session } from '../session/session.ts'
import { startAction } from './traces.ts'

/** Makes calls to the document API as one action. Rejects as `DocumentsClient` does. */
export type DocumentsCall = <Result>(
  tenant: string,
  call: (documents: DocumentsClient) => Promise<Result>,
) => Promise<Result>

/**
 * Returns a function that calls with the session's token. A token that the service no longer accepts (rotated key, clock
 * skew) is replaced once.
 *
 * @param options.traceId of the trace to which all calls belong; default: a new one for each action
 * @param options.ticketBytesMin uploads from this size on go straight to the store; default: that of the client
 */
export function documentsCall(
  origin: string,
  session: Pick<Session, 'accessToken' | 'refuse'>,
  { traceId, ticketBytesMin }: { traceId?: string; ticketBytesMin?: number | undefined } = {},
): DocumentsCall {
  const transfers = ticketBytesMin === undefined ? {} : { ticketBytesMin }
  return async (tenant, call) => {
    const { traceparent } = startAction(traceId)
    let last = ''
    const token = async () => {
      last = await session.accessToken()
      return last
    }
    const documents = createDocumentsClient({ url: origin, tenant, token, traceparent, transfers })
    try {
      return await call(documents)
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'credentials_invalid') throw error
      session.refuse(last)
      return call(documents)
    }
  }
}
