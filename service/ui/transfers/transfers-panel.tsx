import { useState } from 'react'
import { Icon } from '../parts/icon.tsx'
import { TransferItem } from './transfer-item.tsx'
import { isOver, isRunning, type Transfer } from './transfer-list.ts'
import { useLeaveWarning, useTransferList, useTransfers } from './use-transfers.ts'

/** Uploads and downloads of this tab, over whatever view is shown. */
export function TransfersPanel() {
  const list = useTransferList()
  const transfers = useTransfers()
  const [open, setOpen] = useState(true)
  useLeaveWarning(list)
  if (list.length === 0) return null
  const clearable = list.some(({ status }) => status === 'done' || status === 'cancelled')
  return (
    <section className={open ? 'transfers' : 'transfers transfers-closed'} aria-label="Transfers">
      <header>
        <h2>Transfers</h2>
        <p className="quiet">{summary(list)}</p>
        {clearable && (
          <button type="button" className="button-row" onClick={transfers.clear}>
            Clear finished
          </button>
        )}
        <button
          type="button"
          className="button-icon"
          aria-expanded={open}
          aria-label={open ? 'Hide transfers' : 'Show transfers'}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'chevronDown' : 'chevronUp'} />
        </button>
      </header>
      {/* Hidden and not removed, so that what is in it keeps its state. */}
      <ul hidden={!open}>
        {list.map((transfer) => (
          <TransferItem key={transfer.id} transfer={transfer} transfers={transfers} />
        ))}
      </ul>
      <p className="visually-hidden" role="status">
        {outcome(list)}
      </p>
    </section>
  )
}

function summary(list: readonly Transfer[]): string {
  const running = list.filter(({ status }) => isRunning(status)).length
  const waiting = list.filter(({ status }) => status === 'waiting').length
  const failed = list.filter(({ status }) => status === 'failed').length
  const parts = [
    running > 0 && `${running} running`,
    waiting > 0 && `${waiting} waiting`,
    failed > 0 && `${failed} failed`,
  ].filter(Boolean)
  return parts.length > 0 ? parts.join(', ') : 'all done'
}

/** Returns what screen readers read when a transfer is over. */
function outcome(list: readonly Transfer[]): string {
  const last = list.findLast(({ status }) => isOver(status) && status !== 'cancelled')
  if (!last) return ''
  const { kind, status, document } = last
  if (status === 'failed') return `${kind === 'upload' ? 'Upload' : 'Download'} of ${document.name} failed`
  return `${document.name} ${kind === 'upload' ? 'uploaded' : 'downloaded'}`
}
