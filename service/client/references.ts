import { digestPattern, namePattern, tagPattern, tenantPattern, typePattern } from '../wire/names.ts'
import { ArgumentError } from './errors.ts'

/** One document of the client's tenant. */
export interface DocumentName {
  type: string
  name: string
}

const forms = {
  tenant: new RegExp(tenantPattern),
  type: new RegExp(typePattern),
  name: new RegExp(namePattern),
  tag: new RegExp(tagPattern),
  digest: new RegExp(digestPattern),
} as const

/**
 * Returns a path segment if it has its form. Checked here and not only by the service: a name such as `..`
 * would make the runtime call another path with the caller's token.
 *
 * @throws {ArgumentError}
 */
export function checked(noun: keyof typeof forms, value: string): string {
  if (!forms[noun].test(value)) {
    throw new ArgumentError(`${JSON.stringify(value)} is not a ${noun}: its form is ${forms[noun].source}`)
  }
  return value
}

/** Path of a document below the tenant's documents, such as `/definitions/orders.json`. @throws {ArgumentError} */
export function documentPath(ref: DocumentName): string {
  return `/${checked('type', ref.type)}/${checked('name', ref.name)}`
}

/** Path of a version below the tenant's documents. @throws {ArgumentError} */
export function versionPath(ref: DocumentName, digest: string): string {
  return `${documentPath(ref)}/versions/${checked('digest', digest)}`
}

/** Path of a tag below the tenant's documents. @throws {ArgumentError} */
export function tagPath(ref: DocumentName, tag: string): string {
  return `${documentPath(ref)}/tags/${checked('tag', tag)}`
}
