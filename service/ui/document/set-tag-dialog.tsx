import { type FormEvent, useId, useState } from 'react'
import type { Tag } from '../../wire/answers.ts'
import { latestTag, tagPattern } from '../../wire/names.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import { useAttempt } from '../parts/use-attempt.ts'
import type { TagMove } from './tag-moved.tsx'
import { useTags } from './use-tags.ts'
import type { ShownVersion } from './use-versions.ts'

interface SetTagDialogProps {
  version: ShownVersion
  onMoved: (move: TagMove) => void
  onClose: () => void
}

const tagForm = new RegExp(tagPattern)

/** Points a tag at a version. Reads first where all tags point now, and moves one only if it has not moved since. */
export function SetTagDialog({ version, onMoved, onClose }: SetTagDialogProps) {
  const { tenant, type, name, digest } = version
  const call = useDocumentsCall()
  const tags = useTags(version, { readAtFirst: true })
  const existing = byLikelihood(tags.data ?? [])
  const [picked, setPicked] = useState<string | null | undefined>(undefined)
  const [typed, setTyped] = useState('')
  const { error, busy, attempt } = useAttempt()
  const chosen = picked === undefined ? preselected(existing) : picked
  const tag = chosen ?? typed.trim()
  const isKnown = tagForm.test(tag) && tags.isSuccess && !tags.isFetching
  const current = existing.find((one) => one.tag === tag) ?? null
  const already = isKnown && current?.digest === digest

  const move = async (event: FormEvent) => {
    event.preventDefault()
    if (!isKnown || already) return
    const condition = current === null ? { ifAbsent: true } : { ifMatch: current.etag }
    await attempt(
      async () => {
        const moved = await call(tenant, (documents) =>
          documents.putTag({ type, name }, tag, digest, condition),
        )
        onMoved({ tag: moved.tag, from: current?.digest ?? null })
      },
      (reason) => failureOf(reason).code === 'precondition_failed' && void tags.refetch(),
    )
  }
  return (
    <Dialog title={`Set tag on ${shortDigest(digest)}`} onClose={onClose}>
      <form className="stack" onSubmit={move}>
        <p>
          of <strong>{name}</strong>
          {version.createdAt !== undefined && (
            <>
              , uploaded <Time value={version.createdAt} /> by {version.createdBy}
            </>
          )}
        </p>
        <TagChoice
          existing={existing}
          chosen={chosen}
          onChoose={setPicked}
          typed={typed}
          onType={setTyped}
          digest={digest}
        />
        <div role="status" className="tag-now">
          {isKnown && <Now tag={tag} at={current} already={already} />}
        </div>
        {tags.isError && <ErrorNote error={tags.error} onRetry={() => tags.refetch()} />}
        {error !== null && <ErrorNote error={error} />}
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={!isKnown || already || busy}>
            Move tag
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function Now({ tag, at, already }: { tag: string; at: Tag | null; already: boolean }) {
  if (at === null)
    return (
      <p>
        There is no tag <TagBadge tag={tag} /> yet.
      </p>
    )
  if (already)
    return (
      <p>
        <TagBadge tag={tag} /> is on this version already.
      </p>
    )
  return (
    <p>
      <TagBadge tag={tag} /> is on <Digest digest={at.digest} /> now, moved there by {at.movedBy},{' '}
      <Time value={at.movedAt} />.
    </p>
  )
}

interface TagChoiceProps {
  existing: readonly Tag[]
  /** `null` for the one that is typed in. */
  chosen: string | null
  onChoose: (tag: string | null) => void
  typed: string
  onType: (text: string) => void
  digest: string
}

function TagChoice({ existing, chosen, onChoose, typed, onType, digest }: TagChoiceProps) {
  const group = useId()
  const hintId = useId()
  const wrong = chosen === null && typed !== '' && !tagForm.test(typed.trim())
  return (
    <fieldset className="choices">
      <legend>Tag</legend>
      <div className="choices-list">
        {existing.map(({ tag, digest: at }) => (
          <label key={tag} className="choice">
            <input type="radio" name={group} checked={chosen === tag} onChange={() => onChoose(tag)} />
            <span>{tag}</span>
            <span className="quiet">{at === digest ? 'on this version' : `on ${shortDigest(at)}`}</span>
          </label>
        ))}
      </div>
      <label className="choice">
        <input type="radio" name={group} checked={chosen === null} onChange={() => onChoose(null)} />
        <span>Another tag</span>
      </label>
      {chosen === null && (
        <input
          type="text"
          aria-label="Name of the tag"
          aria-invalid={wrong}
          aria-describedby={wrong ? hintId : undefined}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={128}
          placeholder="production"
          value={typed}
          onChange={({ target }) => onType(target.value)}
        />
      )}
      {wrong && (
        <p id={hintId} role="alert" className="field-error">
          A tag begins with a letter, digit or underscore, followed by these, dots and hyphens.
        </p>
      )}
    </fieldset>
  )
}

/** Puts what people move most before the others, and `latest`, which uploads move, at the end. */
function byLikelihood(tags: readonly Tag[]): readonly Tag[] {
  const rank = ({ tag }: Tag) => (tag === 'production' ? 0 : tag === latestTag ? 2 : 1)
  return tags.toSorted((a, b) => rank(a) - rank(b))
}

function preselected(existing: readonly Tag[]): string | null {
  const [first] = existing
  return first && first.tag !== latestTag ? first.tag : null
}
