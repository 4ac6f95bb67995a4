import type { Digest, DocumentRef, TagRef, VersionRef } from '../wire/names.ts'
import { isDigest, latestTag } from '../wire/names.ts'

/**
 * The key scheme: the only place that knows it, and the only index there is. Keys are relative to
 * S3_PREFIX_DOCS, which a decorator of the object store adds. Stored keys depend on it permanently.
 */

/** `tenants/<tenant>/documents/<type>/<name>/<sha256 hex>` */
export function versionKey(ref: VersionRef): string {
  return `${versionsPrefix(ref)}${digestHex(ref.digest)}`
}

/** Start of the keys of all versions of a document. */
export function versionsPrefix({ tenant, type, name }: DocumentRef): string {
  return `tenants/${tenant}/documents/${type}/${name}/`
}

/** Start of the keys of a listing: all of a tenant, of a type, of names that begin with `namePrefix`, or of one name. */
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

/** Key of the tag `latest` of a document. */
export function latestKey(ref: DocumentRef): string {
  return tagKey(ref, latestTag)
}

/** `staging/<tenant>/<upload id>` */
export function stagingKey(tenant: string, uploadId: string): string {
  return `${stagingPrefix}${tenant}/${uploadId}`
}

export const stagingPrefix = 'staging/'

export const tenantsPrefix = 'tenants/'

/** Returns the version of a key, or `null` for any other key (a tag's, or a foreign one). */
export function parseVersionKey(key: string): VersionRef | null {
  const [tenants, tenant, documents, type, name, hex, ...rest] = key.split('/')
  if (tenants !== 'tenants' || documents !== 'documents' || rest.length > 0) return null
  if (!tenant || !type || !name || !hex) return null
  const digest = `sha256:${hex}`
  return isDigest(digest) ? { tenant, type, name, digest } : null
}

/** Returns the tag of a key, or `null` for any other key. */
export function parseTagKey(key: string): TagRef | null {
  const [tenants, tenant, tags, type, name, tag, ...rest] = key.split('/')
  if (tenants !== 'tenants' || tags !== 'tags' || rest.length > 0) return null
  return tenant && type && name && tag ? { tenant, type, name, tag } : null
}

/** Returns the last segment of a key. */
export function lastSegment(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

/** Returns the hexadecimal digits of a digest, as they end the key of its version. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** Returns the digest of 64 hexadecimal digits. */
export function digestOfHex(hex: string): Digest {
  return `sha256:${hex}`
}
