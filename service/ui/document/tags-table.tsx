// biome-ignore-all lint/a11y/noRedundantRoles: Safari forgets the roles of a table that is laid out as cards
import { useState } from 'react'
import { Link } from 'wouter'
import type { Tag } from '../../wire/answers.ts'
import { latestTag } from '../../wire/names.ts'
import { Digest } from '../parts/digest.tsx'
import { Icon } from '../parts/icon.tsx'
import { TableHead } from '../parts/table-head.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { tagsToShow } from '../parts/tag-order.ts'
import { Time } from '../parts/time.tsx'
import { documentPath } from '../routes.ts'
import { usePermissions } from '../session/use-session.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'

export interface TagAction {
  kind: 'move-tag' | 'remove-tag'
  tag: string
}

interface TagsTableProps {
  document: DocumentAddress
  /** In the order in which they are shown. */
  tags: readonly Tag[]
  onAction: (action: TagAction) => void
}

/** Of a document with more, the others are shown on demand. */
const shownMax = 8

const titles = ['Tag', 'Version', 'Moved at', 'Moved by', 'Actions'] as const

/** The tags of a document, wherever they point, and who moved them there. */
export function TagsTable({ document, tags, onAction }: TagsTableProps) {
  const [all, setAll] = useState(false)
  const shown = all ? tags : tagsToShow(tags, shownMax)
  return (
    <>
      <table role="table" className="versions" aria-label="Tags">
        <TableHead titles={titles} />
        <tbody role="rowgroup">
          {shown.map((tag) => (
            <Row key={tag.tag} document={document} tag={tag} onAction={onAction} />
          ))}
        </tbody>
      </table>
      {tags.length > shownMax && (
        <button type="button" className="button-row" aria-expanded={all} onClick={() => setAll(!all)}>
          <Icon name={all ? 'chevronUp' : 'chevronDown'} />
          {all ? 'Show fewer tags' : `Show all ${tags.length} tags`}
        </button>
      )}
    </>
  )
}

function Row({
  document: { tenant, type, name },
  tag,
  onAction,
}: Omit<TagsTableProps, 'tags'> & { tag: Tag }) {
  const { write } = usePermissions()
  return (
    <tr role="row">
      <td role="cell" data-title="Tag">
        <span className="tags">
          <TagBadge tag={tag.tag} />
        </span>
      </td>
      <td role="cell" data-title="Version">
        <Link href={documentPath(tenant, type, name, tag.digest)}>
          <Digest digest={tag.digest} />
        </Link>
      </td>
      <td role="cell" data-title="Moved at">
        <Time value={tag.movedAt} />
      </td>
      <td role="cell" data-title="Moved by" className="wrap">
        {tag.movedBy}
      </td>
      <td role="cell" className="actions">
        {write && (
          <span className="row-tight">
            <button
              type="button"
              className="button-row"
              aria-label={`Move ${tag.tag}`}
              onClick={() => onAction({ kind: 'move-tag', tag: tag.tag })}
            >
              <Icon name="tag" />
              Move
            </button>
            {tag.tag !== latestTag && (
              <button
                type="button"
                className="button-row button-danger"
                aria-label={`Remove ${tag.tag}`}
                onClick={() => onAction({ kind: 'remove-tag', tag: tag.tag })}
              >
                <Icon name="close" />
                Remove
              </button>
            )}
          </span>
        )}
      </td>
    </tr>
  )
}
