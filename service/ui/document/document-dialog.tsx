import type { Tag } from '../../wire/answers.ts'
import { Dialog } from '../parts/dialog.tsx'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { DeleteDialog } from './delete-dialog.tsx'
import { MoveTagDialog } from './move-tag-dialog.tsx'
import { PreviewDialog } from './preview-dialog.tsx'
import { RemoveTagDialog } from './remove-tag-dialog.tsx'
import { SetTagDialog } from './set-tag-dialog.tsx'
import type { TagMove } from './tag-moved.tsx'
import type { TagAction } from './tags-table.tsx'
import type { ShownVersion } from './use-versions.ts'
import type { VersionAction } from './versions-table.tsx'

interface DocumentDialogProps {
  document: DocumentAddress
  action: VersionAction | TagAction
  tags: readonly Tag[]
  versions: readonly ShownVersion[]
  onMoved: (move: TagMove) => void
  onRemoved: (tag: string) => void
  onDeleted: (version: ShownVersion) => void
  /** A tag is not where it was shown. */
  onStale: () => void
  onShowTags: () => void
  onClose: () => void
}

/** The dialog of an action on a version or a tag; a download has none. */
export function DocumentDialog(props: DocumentDialogProps) {
  const { document, action, onMoved, onDeleted, onShowTags, onClose } = props
  switch (action.kind) {
    case 'preview':
      return <PreviewDialog document={document} version={action.version} onClose={onClose} />
    case 'set-tag':
      return <SetTagDialog version={action.version} onMoved={onMoved} onClose={onClose} />
    case 'delete':
      return (
        <DeleteDialog
          version={action.version}
          onDeleted={onDeleted}
          onShowTags={onShowTags}
          onClose={onClose}
        />
      )
    case 'move-tag':
    case 'remove-tag':
      return <TagDialog {...props} action={action} />
    case 'download':
      return null
  }
}

/** The dialog about one tag, as it is now: another person may move or remove it while the dialog is open. */
function TagDialog(props: DocumentDialogProps & { action: TagAction }) {
  const { action, tags, versions, onMoved, onRemoved, onStale, onClose } = props
  const tag = tags.find((one) => one.tag === action.tag)
  if (tag === undefined)
    return (
      <Dialog title={`The tag ${action.tag} was removed`} onClose={onClose}>
        <p>Someone else removed it in the meantime. To make it again, use “Set tag” of a version.</p>
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
        </div>
      </Dialog>
    )
  const shared = { tag, onStale, onClose }
  return action.kind === 'move-tag' ? (
    <MoveTagDialog {...shared} versions={versions} onMoved={onMoved} />
  ) : (
    <RemoveTagDialog {...shared} onRemoved={onRemoved} />
  )
}
