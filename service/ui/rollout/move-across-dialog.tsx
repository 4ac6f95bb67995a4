import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import type { TagMove } from '../document/tag-moved.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import { useAttempt } from '../parts/use-attempt.ts'

interface MoveAcrossDialogProps {
  /** The tag whose version is taken over. */
  source: Tag
  /** The tag that moves: where it is now, or `undefined` if the document does not have it. */
  target: Tag | undefined
  /** Name of the tag that moves. */
  to: string
  onMoved: (move: TagMove) => void
  /** Called after a refusal: the tags may not be where they are shown. */
  onRefused: () => void
  onClose: () => void
}

/** Asks before a tag is moved to the version of another one. It moves only from where it is shown. */
export function MoveAcrossDialog(props: MoveAcrossDialogProps) {
  const { source, target, to, onMoved, onRefused, onClose } = props
  const { tenant, type, name, digest } = source
  const call = useDocumentsCall()
  const { error, busy, attempt } = useAttempt()
  const already = target?.digest === digest
  const move = () =>
    attempt(async () => {
      const condition = target === undefined ? { ifAbsent: true } : { ifMatch: target.etag }
      const moved = await call(tenant, (documents) => documents.putTag({ type, name }, to, digest, condition))
      onMoved({ tag: moved.tag, from: target?.digest ?? null })
    }, onRefused)
  return (
    <Dialog title={`Move ${to} of ${name}?`} onClose={onClose}>
      <dl className="facts" aria-live="polite">
        <dt>Document</dt>
        <dd>{name}</dd>
        <dt>Type</dt>
        <dd>{type}</dd>
        <dt>From</dt>
        <dd>{target ? <Place tag={target} /> : 'There is no such tag yet.'}</dd>
        <dt>To</dt>
        <dd>
          <Place tag={source} />
        </dd>
      </dl>
      {already && (
        <p role="status">
          <TagBadge tag={to} /> is on this version already.
        </p>
      )}
      {error !== null && <ErrorNote error={error} />}
      <div className="row row-end">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button button-primary" disabled={busy || already} onClick={move}>
          Move tag
        </button>
      </div>
    </Dialog>
  )
}

function Place({ tag: { tag, digest, movedBy, movedAt } }: { tag: Tag }) {
  return (
    <>
      <code className="wrap">{digest}</code>
      <br />
      {tag}, moved there by {movedBy}, <Time value={movedAt} />
    </>
  )
}
