import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import { useAttempt } from '../parts/use-attempt.ts'

interface RemoveTagDialogProps {
  tag: Tag
  onRemoved: (tag: string) => void
  /** The tag is not where it was shown. */
  onStale: () => void
  onClose: () => void
}

/** Asks before a tag is removed. It is removed only if it still points to the version that is shown. */
export function RemoveTagDialog({ tag, onRemoved, onStale, onClose }: RemoveTagDialogProps) {
  const { tenant, type, name, digest, etag } = tag
  const call = useDocumentsCall()
  const { error, busy, attempt } = useAttempt()
  const remove = () =>
    attempt(
      async () => {
        await call(tenant, (documents) => documents.deleteTag({ type, name }, tag.tag, { ifMatch: etag }))
        onRemoved(tag.tag)
      },
      (reason) => failureOf(reason).code === 'precondition_failed' && onStale(),
    )
  return (
    <Dialog title={`Remove the tag ${tag.tag}?`} onClose={onClose}>
      <p>
        Requests for <TagBadge tag={tag.tag} /> will find nothing. The version stays.
      </p>
      <dl className="facts">
        <dt>Document</dt>
        <dd>{name}</dd>
        <dt>Version</dt>
        <dd>
          <code className="wrap">{digest}</code>
        </dd>
        <dt>Moved there</dt>
        <dd>
          by {tag.movedBy}, <Time value={tag.movedAt} />
        </dd>
      </dl>
      {error !== null && <ErrorNote error={error} />}
      <div className="row row-end">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button button-danger" disabled={busy} onClick={remove}>
          Remove tag
        </button>
      </div>
    </Dialog>
  )
}
