import { useSyncExternalStore } from 'react'

/** Says so while the browser has no network. The live region is always there, so that its text is read. */
export function OfflineNote() {
  const online = useOnline()
  return (
    <div role="status" className={online ? 'visually-hidden' : 'offline'}>
      {!online && 'You are offline'}
    </div>
  )
}

/** Whether the browser has a network. It may say no where the service is on this very machine. */
export function useOnline(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine)
}

function subscribe(listener: () => void): () => void {
  addEventListener('online', listener)
  addEventListener('offline', listener)
  return () => {
    removeEventListener('online', listener)
    removeEventListener('offline', listener)
  }
}
