import { memo } from 'react'
import { Link } from 'wouter'
import { byteSize } from '../parts/byte-size.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { FailureNote } from '../parts/error-note.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { documentPath } from '../routes.ts'
import { isDocumentName, nearestDocumentName } from './document-of-file.ts'
import { isOver, type Transfer, type TransferStatus } from './transfer-list.ts'
import type { Transfers } from './transfers.ts'

interface TransferItemProps {
  transfer: Transfer
  transfers: Pick<Transfers, 'cancel' | 'retry' | 'dismiss'>
}

const words: Record<TransferStatus, string> = {
  waiting: 'Waiting',
  hashing: 'Computing the digest',
  sending: 'Uploading',
  verifying: 'Verifying',
  receiving: 'Downloading and verifying',
  'waiting-for-sign-in': 'Waiting for sign-in',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

/** Shows one transfer with its progress, outcome and actions. */
export const TransferItem = memo(function TransferItem({ transfer, transfers }: TransferItemProps) {
  const { id, document, status, failure } = transfer
  const { name } = document
  const over = isOver(status)
  const near = failure?.code === 'name_invalid' ? nearestDocumentName(name) : null
  const action = (title: string, icon: IconName, onClick: () => void) => (
    <button
      type="button"
      className="button-icon"
      aria-label={`${title} ${name}`}
      title={title}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  )
  return (
    <li>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form */}
      <div role="group" aria-label={name} className={`transfer transfer-${status}`}>
        <Icon name={iconOf(transfer)} />
        <span className="transfer-name" title={name}>
          {name}
        </span>
        <span className="row-tight">
          {!over && action('Cancel', 'close', () => transfers.cancel(id))}
          {(status === 'failed' || status === 'cancelled') &&
            isDocumentName(name) &&
            action('Retry', 'retry', () => transfers.retry(id))}
          {over && action('Dismiss', 'close', () => transfers.dismiss(id))}
        </span>
        {!over && <Progress transfer={transfer} />}
        <p className="transfer-state">
          <State transfer={transfer} />
        </p>
        {failure && (
          <FailureNote failure={failure}>
            {near !== null && (
              <button type="button" className="button" onClick={() => transfers.retry(id, near)}>
                Upload as {near}
              </button>
            )}
          </FailureNote>
        )}
        {transfer.link && <StoreLink link={transfer.link} name={name} />}
      </div>
    </li>
  )
})

function iconOf({ status, kind }: Transfer) {
  if (status === 'done') return 'check'
  if (status === 'failed') return 'warning'
  return kind === 'upload' ? 'upload' : 'download'
}

function Progress({ transfer: { document, progress, status, sizeBytes } }: { transfer: Transfer }) {
  const total = progress?.totalBytes ?? sizeBytes
  // How far the service is with verifying is not known here.
  const known = status === 'waiting' || (progress !== null && status !== 'verifying' && total > 0)
  return (
    <progress
      aria-label={`Progress of ${document.name}`}
      {...(known ? { value: progress?.bytes ?? 0, max: total || 1 } : {})}
    />
  )
}

function State({ transfer }: { transfer: Transfer }) {
  const { kind, status, progress, sizeBytes, document, published, created, detour, link } = transfer
  if (link) return 'Too large to be verified here'
  if (status === 'done') {
    const { tenant, type, name } = document
    return (
      <>
        {published ? (
          <Link href={documentPath(tenant, type, name, published.digest)}>
            {created ? 'Uploaded' : 'Was there already'}
          </Link>
        ) : (
          'Verified and saved'
        )}
        , {byteSize(published?.size ?? sizeBytes)}
        {detour !== null && <Detour kind={kind} reason={detour} />}
      </>
    )
  }
  if (isOver(status) || status === 'waiting' || progress === null) return words[status]
  const { bytes, totalBytes } = progress
  const percent = totalBytes ? `${Math.floor((bytes / totalBytes) * 100)} %, ` : ''
  if (status === 'verifying' || status === 'waiting-for-sign-in') return words[status]
  return `${words[status]}: ${percent}${byteSize(bytes)} of ${byteSize(totalBytes ?? sizeBytes)}`
}

/** Large transfers go straight to and from the store, if that is safe there and its CORS rules allow this origin. */
function Detour({ kind, reason }: { kind: Transfer['kind']; reason: string }) {
  const transfers = kind === 'upload' ? 'uploads' : 'downloads'
  const why = detours[reason] ?? `the store does not allow ${transfers} from this page`
  return <span title={reason}>, through the service: {why}</span>
}

/** By problem code; anything else is what the browser or the store said. */
const detours: Readonly<Record<string, string>> = {
  store_unknown: 'it has just started, and does not know yet what the store can do',
  tickets_unavailable: 'the store supports no secure direct uploads',
}

function StoreLink({ link: { url, digest }, name }: { link: NonNullable<Transfer['link']>; name: string }) {
  return (
    <div className="note note-quiet">
      <p>
        <a href={url} target="_blank" rel="noopener noreferrer">
          Save {name} from the store
        </a>
        within a few minutes. Then compare the output of <code>sha256sum</code> with the digest:
      </p>
      <p className="row-tight">
        <code className="wrap">{digest.replace('sha256:', '')}</code>
        <CopyButton text={digest.replace('sha256:', '')} label={`Copy digest of ${name}`} />
      </p>
    </div>
  )
}
