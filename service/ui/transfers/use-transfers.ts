import { createContext, useContext, useEffect, useSyncExternalStore } from 'react'
import { isOver, type Transfer } from './transfer-list.ts'
import type { Transfers } from './transfers.ts'

export const TransfersContext = createContext<Transfers | null>(null)

/** Returns the transfers of the surrounding context. @throws {Error} outside of it */
export function useTransfers(): Transfers {
  const transfers = useContext(TransfersContext)
  if (transfers === null) throw new Error('This component has no TransfersContext around it.')
  return transfers
}

/** Returns the list of transfers, and renders again when it changes. */
export function useTransferList(): readonly Transfer[] {
  const transfers = useTransfers()
  return useSyncExternalStore(transfers.subscribe, transfers.list)
}

/** Asks before the tab is closed while something runs (HTML Standard, `beforeunload`). */
export function useLeaveWarning(list: readonly Transfer[]): void {
  const running = list.some(({ status }) => !isOver(status))
  useEffect(() => {
    if (!running) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [running])
}
