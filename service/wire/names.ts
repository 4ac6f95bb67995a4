/** How documents, versions and tags are named, and the form of each name (ARCHITECTURE.md, "The nouns"). */

/** A document: its tenant, type and name, each in the form below. */
export interface DocumentRef {
  tenant: string
  type: string
  name: string
}

/** A version of a document: these very bytes. */
export interface VersionRef extends DocumentRef {
  digest: Digest
}

/** A tag of a document: a movable name for one of its versions. */
export interface TagRef extends DocumentRef {
  tag: string
}

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`

/** A DNS label (RFC 1123 section 2.1). */
export const tenantPattern = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
export const typePattern = '^[a-z][a-z0-9-]{0,62}$'
export const namePattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'
export const tagPattern = '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$'
export const digestPattern = '^sha256:[0-9a-f]{64}$'

/** The tag that every accepted upload moves. */
export const latestTag = 'latest'

const digestForm = new RegExp(digestPattern)
const [tenantForm, typeForm, nameForm] = [tenantPattern, typePattern, namePattern].map(
  (pattern) => new RegExp(pattern),
) as [RegExp, RegExp, RegExp]

/** Returns whether each part of a name of a document has its form. */
export function isDocumentRef({ tenant, type, name }: DocumentRef): boolean {
  return tenantForm.test(tenant) && typeForm.test(type) && nameForm.test(name)
}

/** Returns whether a text has the form of a document type. */
export function isDocumentType(value: string): boolean {
  return typeForm.test(value)
}

/** Returns whether a text has the form of a document's name. */
export function isDocumentName(value: string): boolean {
  return nameForm.test(value)
}

/** Returns whether a text has the form of a digest. */
export function isDigest(value: string): value is Digest {
  return digestForm.test(value)
}
