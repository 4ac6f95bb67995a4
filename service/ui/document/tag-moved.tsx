import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { Digest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { useAttempt } from '../parts/use-attempt.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'

/** A tag that was moved, and from where; `from` is `null` where it was not there before. */
export interface TagMove {
  tag: Tag
  from: string | null
}

interface TagMovedProps {
  document: DocumentAddress
  move: TagMove
  onUndone: (move: TagMove) => void
  onDismiss: () => void
}

/** Says what was moved where, and takes it back. */
export function TagMoved({ document: { tenant, type, name }, move, onUndone, onDismiss }: TagMovedProps) {
  const { tag, from } = move
  const call = useDocumentsCall()
  const { error, busy, attempt } = useAttempt()
  const undo = (digest: string) =>
    attempt(async () => {
      const undone = await call(tenant, (documents) =>
        documents.putTag({ type, name }, tag.tag, digest, { ifMatch: tag.etag }),
      )
      onUndone({ tag: undone.tag, from: tag.digest })
    })
  return (
    <>
      <div className="note note-good">
        <p>
          <TagBadge tag={tag.tag} /> is on <Digest digest={tag.digest} /> now.
        </p>
        <div className="row">
          {from !== null && (
            <button type="button" className="button" disabled={busy} onClick={() => undo(from)}>
              Undo
            </button>
          )}
          <button type="button" className="button-icon" aria-label="Dismiss" onClick={onDismiss}>
            <Icon name="close" />
          </button>
        </div>
      </div>
      {error !== null && <ErrorNote error={error} />}
    </>
  )
}
