/** What the answers of the API hold. Times are RFC 3339 in UTC. */
import type { VersionRef } from './names.ts'

export interface StoredVersion extends VersionRef {
  size: number
  contentType: string
  createdAt: string
  createdBy: string
}

export interface Document extends StoredVersion {
  /** Names of the tags that point to this version, ascending. */
  tags: string[]
}

export interface ListedVersion extends VersionRef {
  size: number
  storedAt: string
}

export interface Tag extends VersionRef {
  tag: string
  movedAt: string
  movedBy: string
  /** Opaque, without quotes; changes with every move. */
  etag: string
}
