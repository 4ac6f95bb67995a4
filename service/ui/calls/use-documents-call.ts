import { createContext, useContext } from 'react'
import type { DocumentsCall } from './documents-call.ts'

export const DocumentsCallContext = createContext<DocumentsCall | null>(null)

/** Returns the call of the surrounding context. @throws {Error} outside of it */
export function useDocumentsCall(): DocumentsCall {
  const call = useContext(DocumentsCallContext)
  if (call === null) throw new Error('This component has no DocumentsCallContext around it.')
  return call
}
