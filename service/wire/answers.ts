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

/** How to send the bytes: a form with `fields` before its `file`, or a PUT with exactly these `headers`. */
export type UploadTicket = {
  id: string
  /** For the completion; valid only for the subject that asked for it. */
  ticket: string
  /** A credential. */
  url: string
  /** The upload must begin before this time. */
  expiresAt: string
  /** The upload must be completed before this time. */
  completeBefore: string
} & (
  | { method: 'POST'; fields: Readonly<Record<string, string>> }
  | { method: 'PUT'; headers: Readonly<Record<string, string>> }
)

export interface Tag extends VersionRef {
  tag: string
  movedAt: string
  movedBy: string
  /** Opaque, without quotes; changes with every move. */
  etag: string
}
