import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useDeferredValue, useId, useState } from 'react'
import type { DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import type { DocumentName } from '../../client/references.ts'
import type { Document, Tag } from '../../wire/answers.ts'
import { tagPattern } from '../../wire/names.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import type { TagMove } from './tag-moved.tsx'

interface SetTagDialogProps {
  version: Document
  /** Those that are shown, with their tags. */
  versions: readonly Document[]
  onMoved: (move: TagMove) => void
  onClose: () => void
}

const tagForm = new RegExp(tagPattern)

/** Points a tag at a version. Reads first where it points now, and moves it only if it has not moved since. */
export function SetTagDialog({ version, versions, onMoved, onClose }: SetTagDialogProps) {
  const { tenant, type, name, digest } = version
  const call = useDocumentsCall()
  const existing = existingTags(versions)
  const [chosen, setChosen] = useState(() => preselected(existing))
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const tag = chosen ?? typed.trim()
  const isTag = tagForm.test(tag)
  const asked = useDeferredValue(tag)
  const current = useQuery({
    queryKey: ['tag', tenant, type, name, asked],
    queryFn: ({ signal }) => call(tenant, (documents) => readTag(documents, { type, name }, asked, signal)),
    enabled: tagForm.test(asked),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
  const isKnown = isTag && asked === tag && current.isSuccess && !current.isFetching
  const already = isKnown && current.data?.digest === digest

  const move = async (event: FormEvent) => {
    event.preventDefault()
    if (!isKnown || already) return
    setBusy(true)
    setError(null)
    const from = current.data
    try {
      const moved = await call(tenant, (documents) =>
        documents.putTag({ type, name }, tag, digest, { ifMatch: from?.etag }),
      )
      onMoved({ tag: moved.tag, from: from?.digest ?? null })
    } catch (reason) {
      setBusy(false)
      setError(reason)
      if (failureOf(reason).code === 'precondition_failed') void current.refetch()
    }
  }
  return (
    <Dialog title={`Set tag on ${shortDigest(digest)}`} onClose={onClose}>
      <form className="stack" onSubmit={move}>
        <p>
          of <strong>{name}</strong>, uploaded <Time value={version.createdAt} /> by {version.createdBy}
        </p>
        <TagChoice
          existing={existing}
          chosen={chosen}
          onChoose={setChosen}
          typed={typed}
          onType={setTyped}
          digest={digest}
        />
        <div role="status" className="tag-now">
          {isKnown && <Now tag={tag} at={current.data} already={already} />}
        </div>
        {current.isError && <ErrorNote error={current.error} />}
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
  existing: readonly { tag: string; digest: string }[]
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
      {existing.map(({ tag, digest: at }) => (
        <label key={tag} className="choice">
          <input type="radio" name={group} checked={chosen === tag} onChange={() => onChoose(tag)} />
          <span>{tag}</span>
          <span className="quiet">{at === digest ? 'on this version' : `on ${shortDigest(at)}`}</span>
        </label>
      ))}
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

/** Those that people move before `latest`, which uploads move. */
function existingTags(versions: readonly Document[]): { tag: string; digest: string }[] {
  const all = versions.flatMap(({ tags, digest }) => tags.map((tag) => ({ tag, digest })))
  const rank = (tag: string) => (tag === 'production' ? 0 : tag === 'latest' ? 2 : 1)
  return all.toSorted((a, b) => rank(a.tag) - rank(b.tag) || (a.tag < b.tag ? -1 : 1))
}

function preselected(existing: readonly { tag: string }[]): string | null {
  const [first] = existing
  return first && first.tag !== 'latest' ? first.tag : null
}

/** Returns where a tag points, or `null` if there is no such tag. */
async function readTag(
  documents: DocumentsClient,
  document: DocumentName,
  tag: string,
  signal: AbortSignal,
): Promise<Tag | null> {
  try {
    return await documents.getTag(document, tag, { signal })
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'document_not_found') return null
    throw error
  }
}
