import type { Document, ListedName, ListedVersion, Tag } from '../wire/answers.ts'
import { type Digest, isDigest } from '../wire/names.ts'
import { type CallIds, ProtocolError } from './errors.ts'
import type { Answer } from './transport.ts'

/** Typed access to the members of a JSON answer; each throws `ProtocolError` if the member has another type. */
export interface Members {
  text(name: string): string
  textOrNull(name: string): string | null
  count(name: string): number
  digest(name: string): Digest
  texts(name: string): string[]
  list(name: string): Members[]
  object(name: string): Members
  objectOrNull(name: string): Members | null
  has(name: string): boolean
  flag(name: string): boolean
  /** The members of an object as they are; `null` if there is no such object. */
  membersOrNull(name: string): Readonly<Record<string, unknown>> | null
  /** An object whose members are all texts. */
  textsByName(name: string): Record<string, string>
}

/** Reads a JSON answer to its end. @throws {ProtocolError | ConnectionError} */
export async function jsonMembers(answer: Answer): Promise<Members> {
  const body = await answer.response.text().catch((error) => {
    throw answer.failure(error)
  })
  return membersOf(body, answer.ids)
}

/** Reads the members of a JSON object. @throws {ProtocolError} */
export function membersOf(json: string, ids: CallIds): Members {
  return membersOfValue(parsed(json, ids), ids)
}

/** Reads a version of a document with its metadata and tags. @throws {ProtocolError} */
export function documentFrom(members: Members): Document {
  return {
    ...versionFrom(members),
    contentType: members.text('contentType'),
    createdAt: members.text('createdAt'),
    createdBy: members.text('createdBy'),
    tags: members.texts('tags'),
  }
}

/** Reads a version as a listing shows it. @throws {ProtocolError} */
export function listedFrom(members: Members): ListedVersion {
  return { ...versionFrom(members), storedAt: members.text('storedAt') }
}

/** Reads a document as the list of names shows it. @throws {ProtocolError} */
export function nameFrom(members: Members): ListedName {
  const latest = members.has('latest') ? members.objectOrNull('latest') : undefined
  return {
    tenant: members.text('tenant'),
    type: members.text('type'),
    name: members.text('name'),
    ...(latest !== undefined && { latest: latest && documentFrom(latest) }),
    ...(members.has('tags') && { tags: members.list('tags').map(listedTagFrom) }),
  }
}

/** Reads a tag as a list shows it, with its ETag. @throws {ProtocolError} */
export function listedTagFrom(members: Members): Tag {
  return tagFrom(members, members.text('etag'))
}

/** Reads a tag; `etag` comes from the header of the answer, without its quotes. @throws {ProtocolError} */
export function tagFrom(members: Members, etag: string): Tag {
  return {
    tenant: members.text('tenant'),
    type: members.text('type'),
    name: members.text('name'),
    tag: members.text('tag'),
    digest: members.digest('digest'),
    movedAt: members.text('movedAt'),
    movedBy: members.text('movedBy'),
    etag,
  }
}

function versionFrom(members: Members) {
  return {
    tenant: members.text('tenant'),
    type: members.text('type'),
    name: members.text('name'),
    digest: members.digest('digest'),
    size: members.count('size'),
  }
}

function parsed(body: string, ids: CallIds): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new ProtocolError('The answer is not JSON.', ids)
  }
}

function membersOfValue(value: unknown, ids: CallIds): Members {
  const wrong = (what: string): never => {
    throw new ProtocolError(`The answer breaks the contract: ${what}.`, ids)
  }
  if (!isRecord(value)) return wrong('it is not an object')
  const record = value
  const text = (name: string) => {
    const member = record[name]
    return typeof member === 'string' ? member : wrong(`${name} is not a string`)
  }
  const list = (name: string): unknown[] => {
    const member = record[name]
    return Array.isArray(member) ? member : wrong(`${name} is not a list`)
  }
  return {
    text,
    textOrNull: (name) => (record[name] === null ? null : text(name)),
    count: (name) => {
      const member = record[name]
      return typeof member === 'number' && Number.isSafeInteger(member) && member >= 0
        ? member
        : wrong(`${name} is not a count`)
    },
    digest: (name) => {
      const member = text(name)
      return isDigest(member) ? member : wrong(`${name} is not a digest`)
    },
    texts: (name) =>
      list(name).map((item) => (typeof item === 'string' ? item : wrong(`${name} is not a list of strings`))),
    list: (name) => list(name).map((item) => membersOfValue(item, ids)),
    object: (name) => membersOfValue(record[name], ids),
    objectOrNull: (name) => (record[name] === null ? null : membersOfValue(record[name], ids)),
    has: (name) => record[name] !== undefined,
    flag: (name) => {
      const member = record[name]
      return typeof member === 'boolean' ? member : wrong(`${name} is not a boolean`)
    },
    membersOrNull: (name) => {
      const members = record[name]
      if (members === undefined) return null
      return isRecord(members) ? members : wrong(`${name} is not an object`)
    },
    textsByName: (name) => {
      const members = record[name]
      if (!isRecord(members)) return wrong(`${name} is not an object`)
      return Object.fromEntries(
        Object.entries(members).map(([key, value]) =>
          typeof value === 'string' ? [key, value] : wrong(`${name} holds something other than strings`),
        ),
      )
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
