import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { useAttempt } from '../parts/use-attempt.ts'
import type { ShownVersion } from './use-versions.ts'

interface DeleteDialogProps {
  version: ShownVersion
  onDeleted: (version: ShownVersion) => void
  /** Leads to the tags, one of which keeps the version from being deleted. */
  onShowTags: () => void
  onClose: () => void
}

/** Asks before a version is deleted permanently, naming exactly which. */
export function DeleteDialog({ version, onDeleted, onShowTags, onClose }: DeleteDialogProps) {
  const { tenant, type, name, digest, tags } = version
  const call = useDocumentsCall()
  const { error, busy, attempt } = useAttempt()
  const remove = () =>
    attempt(async () => {
      await call(tenant, (documents) => documents.deleteVersion({ type, name, digest }))
      onDeleted(version)
    })
  return (
    <Dialog title="Delete this version?" onClose={onClose}>
      <p>It will be deleted permanently, for everyone who uses it.</p>
      <dl className="facts">
        <dt>Document</dt>
        <dd>{name}</dd>
        <dt>Type</dt>
        <dd>{type}</dd>
        <dt>Tenant</dt>
        <dd>{tenant}</dd>
        <dt>Version</dt>
        <dd>
          <code className="wrap">{digest}</code>
        </dd>
        {tags.length > 0 && (
          <>
            <dt>Tags</dt>
            <dd className="tags">
              {tags.map((tag) => (
                <TagBadge key={tag} tag={tag} />
              ))}
            </dd>
          </>
        )}
      </dl>
      {error !== null && (
        <ErrorNote error={error}>
          {failureOf(error).code === 'version_tagged' && (
            <button type="button" className="button" onClick={onShowTags}>
              Show the tags
            </button>
          )}
        </ErrorNote>
      )}
      <div className="row row-end">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button button-danger" disabled={busy} onClick={remove}>
          Delete version
        </button>
      </div>
    </Dialog>
  )
}
