import { useOnline } from '../parts/online.ts'

/** Says so while the browser has no network. The live region is always there, so that its text is read. */
export function OfflineNote() {
  const online = useOnline()
  return (
    <div role="status" className={online ? 'visually-hidden' : 'offline'}>
      {!online && 'You are offline'}
    </div>
  )
}
