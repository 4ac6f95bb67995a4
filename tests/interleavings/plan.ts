import type { LatestCondition, Operation } from '../support/model/history.ts'
import { sampleOf } from './samples.ts'

/** An operation of a plan; what only a run knows is filled in by it: who uploads, and the ETag of a tag before the run. */
export type Wish =
  | { kind: 'upload'; digest: string; ifLatest?: LatestCondition }
  | { kind: 'ticket' | 'delete' | 'retain' | 'read'; digest: string }
  | { kind: 'complete'; ticket: string; digest: string }
  | { kind: 'moveTag'; tag: string; digest: string; ifUnmoved?: boolean; ifAbsent?: boolean }
  | { kind: 'removeTag'; tag: string; ifUnmoved?: boolean }
  | { kind: 'readTag' | 'readByTag'; tag: string }
  | { kind: 'sweep' }
  /** Time passes for the store. */
  | { kind: 'wait'; seconds: number }

/** Returns an upload of the version. */
export const up = (digest: string): Wish => ({ kind: 'upload', digest })
/** Returns an upload of the version that moves `latest` from a certain one. */
export const upOver = (latest: string, digest: string): Wish => ({
  kind: 'upload',
  digest,
  ifLatest: [latest],
})
/** Returns an upload of the version as the first one of the document. */
export const upFirst = (digest: string): Wish => ({ kind: 'upload', digest, ifLatest: 'absent' })
/** Returns a completion of the ticket. */
export const complete = (ticket: string, digest: string): Wish => ({ kind: 'complete', ticket, digest })
/** Returns a request for a ticket. */
export const ticket = (digest: string): Wish => ({ kind: 'ticket', digest })
/** Returns a deletion of the version. */
export const del = (digest: string): Wish => ({ kind: 'delete', digest })
/** Returns a removal of the version by a retention rule. */
export const retain = (digest: string): Wish => ({ kind: 'retain', digest })
/** Returns a read of the version by its digest. */
export const read = (digest: string): Wish => ({ kind: 'read', digest })
/** Returns a move of the tag. */
export const tag = (name: string, digest: string): Wish => ({ kind: 'moveTag', tag: name, digest })
/** Returns a move of the tag from where it was before the run. */
export const tagIf = (name: string, digest: string): Wish => ({
  kind: 'moveTag',
  tag: name,
  digest,
  ifUnmoved: true,
})
/** Returns a move of the tag, if it is not there. */
export const tagNew = (name: string, digest: string): Wish => ({
  kind: 'moveTag',
  tag: name,
  digest,
  ifAbsent: true,
})
/** Returns a removal of the tag. */
export const untag = (name: string): Wish => ({ kind: 'removeTag', tag: name })
/** Returns a removal of the tag from where it was before the run. */
export const untagIf = (name: string): Wish => ({ kind: 'removeTag', tag: name, ifUnmoved: true })
/** Returns a read of the tag. */
export const readTag = (name: string): Wish => ({ kind: 'readTag', tag: name })
/** Returns a read of the version that the tag points to. */
export const get = (name = 'latest'): Wish => ({ kind: 'readByTag', tag: name })
/** Returns a run of the sweeper. */
export const sweeping: Wish = { kind: 'sweep' }

/** Lets time pass for the store: more than any deletion that was given up can still take. */
export const longWait: Wish = { kind: 'wait', seconds: 300 }

/** What several clients do at the same time. */
export interface Plan {
  /** Done before, one after the other. */
  before: readonly Wish[]
  operations: readonly Wish[]
  /** Processes of the service; operations are dealt out to them in turn. */
  replicas: number
  /** The operation of this number , and each after it, begins only when all before it have ended; default: none. */
  inTurnFrom?: number
}

/** A document with two versions. */
export const twoVersions: readonly Wish[] = [up('A'), up('B')]

/** Returns a plan as one line. */
export function describePlan({ before, operations, replicas, inTurnFrom = operations.length }: Plan): string {
  const first = operations.slice(0, inTurnFrom).map(describeWish).join(' ∥ ')
  const rest = operations.slice(inTurnFrom).map((wish) => `, then ${describeWish(wish)}`)
  const setup = before.map(describeWish).join(', ')
  return `${first}${rest.join('')} after ${setup || 'nothing'} on ${replicas} replica${replicas === 1 ? '' : 's'}`
}

function describeWish(wish: Wish): string {
  const { kind, ...rest } = wish
  const details = Object.entries(rest).map(([name, value]) => {
    if (value === true) return name === 'ifAbsent' ? 'if absent' : 'if unmoved'
    return name === 'ifLatest' ? `if latest is ${value}` : value
  })
  return [kind, ...details].join(' ')
}

/** Returns what a wish asks for as an operation of a history. */
export function operationOf(
  wish: Exclude<Wish, { kind: 'wait' }>,
  by: string,
  etags: ReadonlyMap<string, string>,
): Operation {
  const facts = (digest: string, createdBy: string) => {
    return { size: sampleOf(digest).bytes.length, contentType: 'text/plain', createdBy }
  }
  switch (wish.kind) {
    case 'upload':
      return { ...wish, facts: facts(wish.digest, by) }
    case 'complete':
      return { ...wish, facts: facts(wish.digest, ownerOf(wish.ticket)) }
    case 'moveTag':
    case 'removeTag': {
      const { ifUnmoved, ...operation } = wish
      return ifUnmoved ? { ...operation, ifMatch: [etags.get(wish.tag) ?? 'none'] } : operation
    }
    case 'ticket':
    case 'delete':
    case 'retain':
    case 'read':
      return { kind: wish.kind, digest: wish.digest }
    default:
      return wish
  }
}

/** Returns the subject that a ticket was issued to. */
export function ownerOf(name: string): string {
  return `owner of ${name}`
}
