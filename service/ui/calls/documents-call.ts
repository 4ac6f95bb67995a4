import { createContext, useContext } from 'react'
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
 */
export function documentsCall(origin: string, session: Session): DocumentsCall {
  return async (tenant, call) => {
    const { traceparent } = startAction()
    let last = ''
    const token = async () => {
      last = await session.accessToken()
      return last
    }
    const documents = createDocumentsClient({ url: origin, tenant, token, traceparent })
    try {
      return await call(documents)
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'credentials_invalid') throw error
      session.refuse(last)
      return call(documents)
    }
  }
}

export const DocumentsCallContext = createContext<DocumentsCall | null>(null)

/** Returns the call of the surrounding context. @throws {Error} outside of it */
export function useDocumentsCall(): DocumentsCall {
  const call = useContext(DocumentsCallContext)
  if (call === null) throw new Error('This component has no DocumentsCallContext around it.')
  return call
}
