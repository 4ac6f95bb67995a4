import type { Entry, Facts, Operation, Result } from '../../../../support/model/history.ts'

/** Returns the facts of what `createdBy` uploads. */
export function factsOf(createdBy: string): Facts {
  return { size: 1, contentType: 'text/plain', createdBy }
}

/** Returns an entry that was answered; `during` are its start and end. */
export function answered(during: [start: number, end: number], operation: Operation, result: Result): Entry {
  return { operation, result, start: during[0], end: during[1] }
}

/** Returns an entry of which nothing was heard, and which may still take effect unless `end` says otherwise. */
export function unanswered(start: number, operation: Operation, end = Infinity): Entry {
  return { operation, result: null, start, end }
}

/** Returns an upload of a version by someone. */
export function upload(digest: string, by = 'ann'): Operation {
  return { kind: 'upload', digest, facts: factsOf(by) }
}

/** Returns a completion of the ticket `id`. */
export function complete(ticket: string, digest: string): Operation {
  return { kind: 'complete', ticket, digest, facts: factsOf(ticket) }
}
