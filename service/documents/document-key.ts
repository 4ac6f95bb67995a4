import type { Digest, DocumentRef, TagRef, VersionRef } from '../wire/names.ts'
import { isDigest, latestTag } from '../wire/names.ts'

/**
 * The key scheme: the only place that knows it, and the only index there is. Keys are relative to
 * S3_PREFIX_DOCS, which a decorator of the object store adds. Stored keys depend on it for ever.
 */

/** `tenants/<tenant>/documents/<type>/<name>/<sha256 hex>` */
export function versionKey(ref: VersionRef): string {
  return `${versionsPrefix(ref)}${digestHex(ref.digest)}`
}

/** Start of the keys of all versions of a document. */
export function versionsPrefix({ tenant, type, name }: DocumentRef): string {
  return `tenants/${tenant}/documents/${type}/${name}/`
}

/** Start of the keys that a listing asks for: the tenant's, a type's, those whose name begins so, or one name's. */
export function listPrefix(query: {
  tenant: string
  type?: string | undefined
  name?: string | undefined
  namePrefix?: string | undefined
}): string {
  const { tenant, type, name, namePrefix } = query
  const ofTenant = `tenants/${tenant}/documents/`
  if (type === undefined) return ofTenant
  return name === undefined
    ? `${ofTenant}${type}/${namePrefix ?? ''}`
    : versionsPrefix({ tenant, type, name })
}

/** `tenants/<tenant>/tags/<type>/<name>/<tag>` */
export function tagKey(ref: DocumentRef, tag: string): string {
  return `${tagsPrefix(ref)}${tag}`
}

/** Start of the keys of all tags of a document. */
export function tagsPrefix({ tenant, type, name }: DocumentRef): string {
  return `tenants/${tenant}/tags/${type}/${name}/`
}

export function latestKey(ref: DocumentRef): string {
  return tagKey(ref, latestTag)
}

/** `staging/<tenant>/<upload id>` */
export function stagingKey(tenant: string, uploadId: string): string {
  return `${stagingPrefix}${tenant}/${uploadId}`
}

export const stagingPrefix = 'staging/'

export const tenantsPrefix = 'tenants/'

/** @returns `null` for a key that is not a version's (a tag's, or none of ours). */
export function parseVersionKey(key: string): VersionRef | null {
  const [tenants, tenant, documents, type, name, hex, ...rest] = key.split('/')
  if (tenants !== 'tenants' || documents !== 'documents' || rest.length > 0) return null
  if (!tenant || !type || !name || !hex) return null
  const digest = `sha256:${hex}`
  return isDigest(digest) ? { tenant, type, name, digest } : null
}

/** @returns `null` for a key that is not a tag's. */
export function parseTagKey(key: string): TagRef | null {
  const [tenants, tenant, tags, type, name, tag, ...rest] = key.split('/')
  if (tenants !== 'tenants' || tags !== 'tags' || rest.length > 0) return null
  return tenant && type && name && tag ? { tenant, type, name, tag } : null
}

/** The last segment of a key. */
export function lastSegment(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

export function digestOfHex(hex: string): Digest {
  return `sha256:${hex}`
}
