import type { ListFilter } from '../../client/pages.ts'
import type { DocumentName } from '../../client/references.ts'
import { type Digest, isDigest } from '../../wire/names.ts'
import { UsageError } from '../command.ts'

/** What people type to name a version: `type/name`, `type/name@tag` or `type/name@sha256:…`. */
export type TypedVersion = DocumentName & ({ digest: Digest; tag?: never } | { tag?: string; digest?: never })

/** Reads `type/name`. @throws {UsageError} */
export function parseDocument(text: string): DocumentName {
  const [type, name, ...rest] = text.split('/')
  if (!type || !name || rest.length > 0) throw new UsageError(`"${text}" is not <type>/<name>`)
  return { type, name }
}

/** Reads `type/name[@tag|@sha256:…]`. No name, tag or type can hold an `@`. @throws {UsageError} */
export function parseVersion(text: string): TypedVersion {
  const [document = '', which, ...rest] = text.split('@')
  if (rest.length > 0 || which === '') throw new UsageError(`"${text}" is not <type>/<name>[@tag|@sha256:…]`)
  const ref = parseDocument(document)
  if (which === undefined) return ref
  return isDigest(which) ? { ...ref, digest: which } : { ...ref, tag: which }
}

/** Reads `type/name@sha256:…`, for what must not be guessed. @throws {UsageError} */
export function parseExactVersion(text: string): DocumentName & { digest: Digest } {
  const { type, name, digest } = parseVersion(text)
  if (digest === undefined) throw new UsageError(`"${text}" is not <type>/<name>@sha256:<64 hex digits>`)
  return { type, name, digest }
}

/** Writes an exact version as {@link parseExactVersion} reads it. */
export function exactVersionText({ type, name, digest }: DocumentName & { digest: string }): string {
  return `${type}/${name}@${digest}`
}

/** Reads `type` or `type/beginning-of-name`. @throws {UsageError} */
export function parseTypeFilter(text: string): ListFilter & { type: string } {
  const { type, ...rest } = parseListFilter(text)
  if (type === undefined) throw new UsageError('give a document type')
  return { ...rest, type }
}

/** Reads what to list: nothing, `type` or `type/beginning-of-name`. @throws {UsageError} */
export function parseListFilter(text: string | undefined): ListFilter {
  if (text === undefined) return {}
  const [type, namePrefix, ...rest] = text.split('/')
  if (!type || rest.length > 0) throw new UsageError(`"${text}" is not <type>[/<beginning of name>]`)
  return namePrefix ? { type, namePrefix } : { type }
}
