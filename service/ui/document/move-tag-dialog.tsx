import { type FormEvent, useId, useState } from 'react'
import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { shortTime, Time } from '../parts/time.tsx'
import { useAttempt } from '../parts/use-attempt.ts'
import { hasForm } from '../routes.ts'
import type { TagMove } from './tag-moved.tsx'
import type { ShownVersion } from './use-versions.ts'

interface MoveTagDialogProps {
  tag: Tag
  /** Those that can be chosen without typing a digest. */
  versions: readonly ShownVersion[]
  onMoved: (move: TagMove) => void
  /** The tag is not where it was shown. */
  onStale: () => void
  onClose: () => void
}

const other = 'other'

/** Points a tag at another version, if it still points to the one that is shown. */
export function MoveTagDialog({ tag, versions, onMoved, onStale, onClose }: MoveTagDialogProps) {
  const { tenant, type, name } = tag
  const call = useDocumentsCall()
  const [chosen, setChosen] = useState('')
  const [typed, setTyped] = useState('')
  const { error, busy, attempt } = useAttempt()
  const [selectId, fieldId, hintId] = [useId(), useId(), useId()]
  const digest = chosen === other ? digestOf(typed) : chosen
  const wrong = chosen === other && typed !== '' && !hasForm('digest', digest)
  const already = digest === tag.digest

  const move = (event: FormEvent) => {
    event.preventDefault()
    return attempt(
      async () => {
        const moved = await call(tenant, (documents) =>
          documents.putTag({ type, name }, tag.tag, digest, { ifMatch: tag.etag }),
        )
        onMoved({ tag: moved.tag, from: tag.digest })
      },
      (reason) => failureOf(reason).code === 'precondition_failed' && onStale(),
    )
  }
  return (
    <Dialog title={`Move the tag ${tag.tag}`} onClose={onClose}>
      <form className="stack" onSubmit={move}>
        <p role="status">
          <TagBadge tag={tag.tag} /> of <strong>{name}</strong> is on <Digest digest={tag.digest} /> now,
          moved there by {tag.movedBy}, <Time value={tag.movedAt} />.
        </p>
        <div className="field">
          <label htmlFor={selectId}>To version</label>
          <select id={selectId} value={chosen} onChange={({ target }) => setChosen(target.value)}>
            <option value="" disabled>
              Choose a version
            </option>
            {versions.map((version) => (
              <option key={version.digest} value={version.digest} disabled={version.digest === tag.digest}>
                {optionText(version)}
              </option>
            ))}
            <option value={other}>Another version, by its digest</option>
          </select>
        </div>
        {chosen === other && (
          <div className="field">
            <label htmlFor={fieldId}>Digest of the version</label>
            <input
              id={fieldId}
              type="text"
              aria-invalid={wrong}
              aria-describedby={wrong ? hintId : undefined}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="sha256:…"
              value={typed}
              onChange={({ target }) => setTyped(target.value)}
            />
            {wrong && (
              <p id={hintId} role="alert" className="field-error">
                A digest is “sha256:” and 64 hexadecimal digits.
              </p>
            )}
          </div>
        )}
        {error !== null && <ErrorNote error={error} />}
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={!hasForm('digest', digest) || already || busy}
          >
            Move tag
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function optionText({ digest, createdAt, createdBy }: ShownVersion): string {
  const uploaded = createdAt === undefined ? '' : `, ${shortTime(createdAt)} by ${createdBy}`
  return `${shortDigest(digest)}${uploaded}`
}

/** Takes the digits alone, too, as `sha256sum` prints them. */
function digestOf(typed: string): string {
  const text = typed.trim().toLowerCase()
  return /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text
}
