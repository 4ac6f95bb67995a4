import { createContext, useContext, useEffect, useSyncExternalStore } from 'react'
import { isOver, type Transfer } from './transfer-list.ts'
import type { Transfers } from './transfers.ts'

export const TransfersContext = createContext<Transfers | null>(null)

export function useTransfers(): Transfers {
  const transfers = useContext(TransfersContext)
  if (transfers === null) throw new Error('There are no transfers around this component.')
  return transfers
}

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
