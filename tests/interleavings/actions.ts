/** What can happen next in a schedule, and who chooses. */

/** How a call to the store ends if it does not simply end well. */
export type Fault =
  /** It is made, and the caller is not answered. */
  | 'unanswered'
  /** It is never made, and the caller is not answered. */
  | 'undone'
  /** The caller is not answered, and it is made later. */
  | 'late'
  /** It is made twice, as by an adapter whose first try was not answered: the caller receives the second answer. */
  | 'twice'
  /** It is made, and a copy of it arrives later. */
  | 'echoed'

/** One thing that can happen next. */
export interface Action {
  kind: 'start' | 'call' | 'slow' | 'answer' | 'fault' | 'deliver' | 'crash' | 'wake' | 'tick'
  /** One line for the log of a schedule. */
  label: string
  /** Orders the actions of different replicas, the same in every schedule that differs only in their order. */
  rank: number
  replica: number
  /** What it touches in the store; `null` for nothing. A listing touches all keys that begin so. */
  key: string | null
  isWrite: boolean
  isListing: boolean
  act(): void
}

/** Chooses what happens next; `null` ends the schedule, because it differs from another one in nothing. */
export type Choose = (actions: readonly Action[], past: Past) => Action | null

/** What has happened just before. */
export interface Past {
  action: Action | null
  /** It has ended an operation: what starts after it starts after that operation's end. */
  hasEnded: boolean
}

/** Returns whether two actions of different replicas could change places without anyone seeing a difference. */
export function areIndependent(a: Action, b: Action): boolean {
  if (a.replica === b.replica) return false
  if (a.key === null || b.key === null || !(a.isWrite || b.isWrite)) return true
  if (a.isListing || b.isListing) return !a.key.startsWith(b.key) && !b.key.startsWith(a.key)
  return a.key !== b.key
}
