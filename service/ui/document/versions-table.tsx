// biome-ignore-all lint/a11y/noRedundantRoles: Safari forgets the roles of a table that is laid out as cards
import { memo, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import { byteSize } from '../parts/byte-size.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { TableHead } from '../parts/table-head.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { compareTags, tagsToShow } from '../parts/tag-order.ts'
import { Time } from '../parts/time.tsx'
import { documentPath } from '../routes.ts'
import { usePermissions } from '../session/use-session.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { isPreviewable } from './preview-text.ts'
import type { ShownVersion } from './use-versions.ts'

export interface VersionAction {
  kind: 'download' | 'preview' | 'set-tag' | 'delete'
  version: ShownVersion
}

interface VersionsTableProps {
  label: string
  document: DocumentAddress
  versions: readonly ShownVersion[]
  /** Digest of the version that the address names. */
  selected: string | null
  onAction: (action: VersionAction) => void
}

const uploadTitles = ['Uploaded by', 'Uploaded at'] as const

/** Of a version with more tags, the others are counted: all of them are in the table of tags. */
const tagsMax = 8

/**
 * Few rows with much in them. Where there is no room, they are laid out as cards, which makes Safari forget what they
 * are: so the roles are spelled out.
 */
export function VersionsTable({ label, document, versions, selected, onAction }: VersionsTableProps) {
  const hasUploads = versions.some(({ createdAt }) => createdAt !== undefined)
  const titles = ['Version', 'Tags', 'Size', 'Content type', ...(hasUploads ? uploadTitles : []), 'Actions']
  return (
    <table role="table" className="versions" aria-label={label}>
      <TableHead titles={titles} />
      <tbody role="rowgroup">
        {versions.map((version) => (
          <Row
            key={version.digest}
            document={document}
            version={version}
            selected={version.digest === selected}
            onAction={onAction}
          />
        ))}
      </tbody>
    </table>
  )
}

interface RowProps {
  document: DocumentAddress
  version: ShownVersion
  selected: boolean
  onAction: (action: VersionAction) => void
}

const Row = memo(function Row({ document, version, selected, onAction }: RowProps) {
  const { digest, tags, size, contentType, createdBy, createdAt } = version
  const { write, admin } = usePermissions()
  const short = shortDigest(digest)
  const row = useRef<HTMLTableRowElement>(null)
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: 'nearest' })
  }, [selected])
  const action = (kind: VersionAction['kind'], text: string, name: string, icon: IconName) => (
    <button
      type="button"
      className={kind === 'delete' ? 'button-row button-danger' : 'button-row'}
      aria-label={name}
      onClick={() => onAction({ kind, version })}
    >
      <Icon name={icon} />
      {text}
    </button>
  )
  return (
    <tr ref={row} role="row" aria-current={selected ? 'true' : undefined}>
      <td role="cell" data-title="Version">
        <span className="row-tight">
          <Link href={documentPath(document.tenant, document.type, document.name, digest)}>
            <Digest digest={digest} />
          </Link>
          <CopyButton text={digest} label={`Copy digest ${short}`} />
        </span>
      </td>
      <td role="cell" data-title="Tags">
        <Tags tags={tags} />
      </td>
      <td role="cell" data-title="Size">
        {byteSize(size)}
      </td>
      <td role="cell" data-title="Content type" className="wrap">
        {contentType}
      </td>
      {createdAt !== undefined && (
        <>
          <td role="cell" data-title="Uploaded by" className="wrap">
            {createdBy}
          </td>
          <td role="cell" data-title="Uploaded at">
            <Time value={createdAt} />
          </td>
        </>
      )}
      <td role="cell" className="actions">
        <span className="row-tight">
          {action('download', 'Download', `Download ${short}`, 'download')}
          {isPreviewable(version) && action('preview', 'Preview', `Preview ${short}`, 'eye')}
          {write && action('set-tag', 'Set tag', `Set tag on ${short}`, 'tag')}
          {admin && action('delete', 'Delete', `Delete ${short}`, 'trash')}
        </span>
      </td>
    </tr>
  )
})

function Tags({ tags }: { tags: readonly string[] }) {
  const sorted = tags.toSorted(compareTags).map((tag) => ({ tag }))
  const shown = tagsToShow(sorted, tagsMax)
  return (
    <span className="tags">
      {shown.map(({ tag }) => (
        <TagBadge key={tag} tag={tag} />
      ))}
      {shown.length < tags.length && <span className="quiet">and {tags.length - shown.length} more</span>}
    </span>
  )
}
