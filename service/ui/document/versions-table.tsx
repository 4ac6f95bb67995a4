// biome-ignore-all lint/a11y/noRedundantRoles: Safari forgets the roles of a table that is laid out as cards
import { memo, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import type { Document } from '../../wire/answers.ts'
import { byteSize } from '../parts/byte-size.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import { documentPath } from '../routes.ts'
import { usePermissions } from '../session/use-session.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { isPreviewable } from './preview-text.ts'

export interface VersionAction {
  kind: 'download' | 'preview' | 'set-tag' | 'delete'
  version: Document
}

interface VersionsTableProps {
  document: DocumentAddress
  versions: readonly Document[]
  /** Digest of the version that the address names. */
  selected: string | null
  onAction: (action: VersionAction) => void
}

const titles = ['Version', 'Tags', 'Size', 'Content type', 'Uploaded by', 'Uploaded at', 'Actions'] as const

/**
 * Few rows with much in them. Where there is no room, they are laid out as cards, which makes Safari forget what they
 * are: so the roles are spelled out.
 */
export function VersionsTable({ document, versions, selected, onAction }: VersionsTableProps) {
  return (
    <table role="table" className="versions" aria-label="Versions">
      <thead role="rowgroup">
        <tr role="row">
          {titles.map((title) => (
            <th key={title} role="columnheader" scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
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
  version: Document
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
        <span className="tags">
          {tags.map((tag) => (
            <TagBadge key={tag} tag={tag} />
          ))}
        </span>
      </td>
      <td role="cell" data-title="Size">
        {byteSize(size)}
      </td>
      <td role="cell" data-title="Content type" className="wrap">
        {contentType}
      </td>
      <td role="cell" data-title="Uploaded by" className="wrap">
        {createdBy}
      </td>
      <td role="cell" data-title="Uploaded at">
        <Time value={createdAt} />
      </td>
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
