import type { Digest, DocumentRef, TagRef, VersionRef } from '../wire/names.ts'
import { isDigest, isDocumentRef } from '../wire/names.ts'

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

/** `tenants/<tenant>/records/<type>/<name>` */
export function recordKey({ tenant, type, name }: DocumentRef): string {
  return `tenants/${tenant}/records/${type}/${name}`
}

/** `tenants/<tenant>/tagged/<type>/<tag>/<name>/<row>`: says that the record of a document may have this tag. */
export function tagRowKey({ tenant, type, name, tag }: TagRef, row: string): string {
  return `${taggedPrefix({ tenant, type, tag })}${name}/${row}`
}

/** Start of the keys of the rows of a tag, for the names of a type that begin with `namePrefix`. */
export function taggedPrefix(query: {
  tenant: string
  type: string
  tag: string
  namePrefix?: string | undefined
}): string {
  const { tenant, type, tag, namePrefix = '' } = query
  return `tenants/${tenant}/tagged/${type}/${tag}/${namePrefix}`
}

/** `deletions/<tenant>/<type>/<name>/<sha256 hex>`: says that the record of a document may hold a mark. */
export function deletionKey({ tenant, type, name, digest }: VersionRef): string {
  return `${deletionsPrefix}${tenant}/${type}/${name}/${digestHex(digest)}`
}

export const deletionsPrefix = 'deletions/'

/** `inventories/<tenant>`: what a tenant had stored when its keys were last walked through. */
export function inventoryKey(tenant: string): string {
  return `${inventoriesPrefix}${tenant}`
}

export const inventoriesPrefix = 'inventories/'

/** How far the walk through all keys has come. No tenant begins with an underscore. */
export const inventoryWalkKey = `${inventoriesPrefix}_walk`

/** `staging/<tenant>/<upload id>` */
export function stagingKey(tenant: string, uploadId: string): string {
  return `${stagingPrefix}${tenant}/${uploadId}`
}

/** `staging/<tenant>/<upload id>.lease`: who completes the upload, and how that ended. */
export function leaseKey(tenant: string, uploadId: string): string {
  return `${stagingKey(tenant, uploadId)}.lease`
}

/** `staging/<tenant>/<id>.archive`: which versions a link gives, while it is not used. */
export function archiveListKey(tenant: string, id: string): string {
  return `${stagingKey(tenant, id)}.archive`
}

export const stagingPrefix = 'staging/'

export const tenantsPrefix = 'tenants/'

/** Returns the version of a key, or `null` for any other key, such as one of another program. */
export function parseVersionKey(key: string): VersionRef | null {
  const [tenants, tenant = '', documents, type = '', name = '', hex, ...rest] = key.split('/')
  if (tenants !== 'tenants' || documents !== 'documents' || rest.length > 0) return null
  return versionOf({ tenant, type, name }, hex)
}

/** Returns the document of a record's key, or `null` for any other key. */
export function parseRecordKey(key: string): DocumentRef | null {
  const [tenants, tenant = '', records, type = '', name = '', ...rest] = key.split('/')
  if (tenants !== 'tenants' || records !== 'records' || rest.length > 0) return null
  const ref = { tenant, type, name }
  return isDocumentRef(ref) ? ref : null
}

/** Returns the tag of a row's key, and which row of it this is, or `null` for any other key. */
export function parseTagRowKey(key: string): { ref: TagRef; row: string } | null {
  const [tenants, tenant = '', tagged, type = '', tag = '', name = '', row, ...rest] = key.split('/')
  if (tenants !== 'tenants' || tagged !== 'tagged' || rest.length > 0) return null
  if (!row || !tag || !isDocumentRef({ tenant, type, name })) return null
  return { ref: { tenant, type, name, tag }, row }
}

/** Returns the version of a deletion's key, or `null` for any other key. */
export function parseDeletionKey(key: string): VersionRef | null {
  const [deletions, tenant = '', type = '', name = '', hex, ...rest] = key.split('/')
  if (deletions !== 'deletions' || rest.length > 0) return null
  return versionOf({ tenant, type, name }, hex)
}

function versionOf(ref: DocumentRef, hex: string | undefined): VersionRef | null {
  const digest = `sha256:${hex}`
  return isDigest(digest) && isDocumentRef(ref) ? { ...ref, digest } : null
}

/** Returns on whose behalf a key, or the beginning of keys, is used: `tenant` is empty where that is no single tenant. */
export function ownerOfKey(key: string): { tenant: string; holds: 'version' | 'staged' | 'other' } {
  const [area = '', tenant = '', kind] = key.split('/')
  if (area === 'tenants') return { tenant, holds: kind === 'documents' ? 'version' : 'other' }
  if (area === 'staging') return { tenant, holds: /\.(lease|archive)$/.test(key) ? 'other' : 'staged' }
  return { tenant: area === 'deletions' ? tenant : '', holds: 'other' }
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
