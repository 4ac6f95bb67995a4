/** What the answers of the API hold. Times are RFC 3339 in UTC. */
import type { DocumentRef, VersionRef } from './names.ts'

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

/** A type of which the tenant has documents. */
export interface ListedType {
  tenant: string
  type: string
}

/** A document, by its name alone or with what was asked for as well. */
export interface ListedName extends DocumentRef {
  /** `null` if it was deleted while the page was made. */
  latest?: Document | null
  /** By name, ascending. */
  tags?: Tag[]
}

/** What a tenant has stored, by type, as the last walk through its keys has counted it. */
export interface Usage {
  tenant: string
  /** What was stored or deleted after this time may have been missed. */
  startedAt: string
  finishedAt: string
  types: { type: string; documents: number; versions: number; bytes: number }[]
  /** The newest versions, the newest first. */
  newest: ListedVersion[]
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

/** One change of where a tag pointed, as the audit has it. */
export interface TagChange {
  tag: string
  /** `tag.put`, `tag.delete`, or the upload that made a version the latest. */
  action: string
  /** RFC 3339, UTC. */
  at: string
  /** Subject of the token. */
  by: string
  /** Where the tag points since; `null` after it was removed. */
  digest: string | null
  /** Where it pointed before, as far as the audit says: of uploads it does not. */
  previousDigest: string | null
  traceId: string
}

export interface TagChanges {
  /** Newest first. */
  changes: TagChange[]
  /** What is older than this has not been looked at (RFC 3339). */
  since: string
}
