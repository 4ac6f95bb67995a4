import { createContext, useContext } from 'react'
import type { DocumentsCall } from './documents-call.ts'

export const DocumentsCallContext = createContext<DocumentsCall | null>(null)

export function useDocumentsCall(): DocumentsCall {
  const call = useContext(DocumentsCallContext)
  if (call === null) throw new Error('There is no way to call the service around this component.')
  return call
}
