import { type Entry, type Operation, type Result, resultOfProblem } from '../model/history.ts'
import { digestOf } from '../service/sample-documents.ts'

/** Bytes that clients of a history upload. */
export interface Content {
  digest: string
  bytes: Uint8Array<ArrayBuffer>
  contentType: string
}

/** Everything that clients did with one document. */
export interface DocumentHistory {
  /** `<type>/<name>`, of tenant `acme`. */
  path: string
  contents: readonly Content[]
  entries: Entry[]
  /** What breaks a promise by itself: an answer outside of the contract, damaged bytes, a request that did not end. */
  flaws: string[]
  /** Milliseconds that the longest request took. */
  longest: number
}

/** The problems that may be answered although the caller did nothing wrong; what they have changed is open. */
const transient = [
  'store_unavailable',
  'store_unknown',
  'busy',
  'conflict',
  'upload_changed',
  'tickets_unavailable',
  'authentication_unavailable',
]

/** Starts the history of a document that has never been uploaded. */
export function newHistory(path: string, contents: readonly Content[]): DocumentHistory {
  return { path, contents, entries: [], flaws: [], longest: 0 }
}

/** Returns content that no other document has. @param size in bytes, at least 36. */
export function contentOf(size: number, contentType: string): Content {
  const bytes = new Uint8Array(size)
  bytes.set(new TextEncoder().encode(crypto.randomUUID()))
  return { digest: digestOf(bytes), bytes, contentType }
}

/** A request and how its good answer is read: `null` if it does not say what happened. */
export interface Attempt {
  send(): Promise<Response>
  read(answer: Response): Promise<Result | null>
}

/**
 * Makes a request, and adds to the history what was asked and answered.
 *
 * @returns the result, `null` if it is unknown.
 */
export async function record(
  history: DocumentHistory,
  operation: Operation,
  attempt: Attempt,
): Promise<Result | null> {
  const start = performance.now()
  const result = await outcomeOf(history, operation, attempt)
  const end = performance.now()
  history.longest = Math.max(history.longest, end - start)
  add(history, { operation, result, start, end: result ? end : Infinity })
  return result
}

/** Adds an entry whose times are known. */
export function add(history: DocumentHistory, entry: Entry): void {
  history.entries.push(entry)
}

async function outcomeOf(
  history: DocumentHistory,
  operation: Operation,
  { send, read }: Attempt,
): Promise<Result | null> {
  try {
    const answer = await send()
    if (answer.ok) return await read(answer)
    const problem = await codeOf(answer)
    const known = resultOfProblem(problem)
    if (known === null && !transient.includes(problem))
      history.flaws.push(`${operation.kind} was answered ${answer.status} ${problem}`)
    return known
  } catch (error) {
    // A refused connection says nothing, either: over an idle one that breaks, Bun sends a request a second time by itself.
    if ((error as Error).name === 'TimeoutError')
      history.flaws.push(`${operation.kind} was not answered in time`)
    return null
  }
}

async function codeOf(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => ({}))) as { code?: string }
  return problem.code ?? 'without a problem'
}
