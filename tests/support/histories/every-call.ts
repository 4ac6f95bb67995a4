import { type Call, type Caller, callerOf } from '../service/caller.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  randomDocument,
  reprDigestOf,
  storedUnder,
} from '../service/sample-documents.ts'
import type { ServiceForTests } from '../service/service-for-tests.ts'
import { jsonBody, ticketCalls } from '../service/ticket-calls.ts'
import { inChunks } from '../stores/bodies.ts'

/** The status of an answer; `cut` where its body did not end, or it did not come. */
export type Ending = number | 'cut'

/** A call whose answer and effect do not agree. */
export interface Flawed {
  what: string
  ending: Ending
  found: unknown
}

/** How calls have ended that were made at the same time while the store was in trouble. */
export interface EndedCalls {
  /** One per call, in the order in which they ended: what none of them feels would show nothing. */
  endings: Ending[]
  /** Looks at what the calls have left, once the store is well again. */
  flaws(): Promise<Flawed[]>
}

/** No call may take longer, with a store that is given one or two seconds for each of its answers. */
export const callSecondsMax = 30

/** The type of all documents. */
export const calledType = 'bundles'

/** How a call may end because the store is in trouble. */
const troubled: readonly Ending[] = [503, 'cut']

/** Returns a caller whose calls fail after {@link callSecondsMax}. */
export function timed(caller: Caller): Caller {
  return (path, asked: Call = {}) =>
    caller(path, { ...asked, signal: AbortSignal.timeout(callSecondsMax * 1000) })
}

/** Waits for the end of an answer. @throws {DOMException} if it takes too long */
export async function endOf(request: Promise<Response>): Promise<{ ending: Ending; bytes: Uint8Array }> {
  const answer = await request
  const bytes = await answer.bytes().catch((error: Error) => {
    if (error.name === 'TimeoutError') throw error
    return null
  })
  return { ending: bytes ? answer.status : 'cut', bytes: bytes ?? new Uint8Array() }
}

/** Checks what an upload has left: what was acknowledged is there, anything else is absent or whole. */
export async function uploadFlaws(
  { store }: ServiceForTests,
  what: string,
  { name, bytes, ending }: { name: string; bytes: Uint8Array; ending: Ending },
): Promise<Flawed[]> {
  const digest = digestOf(bytes)
  const found = await storedUnder(store, keyOf(calledType, name, digest))
  const whole = found?.digest === digest && found.size === bytes.length
  const acknowledged = ending === 200 || ending === 201
  const right = acknowledged ? whole : troubled.includes(ending) && (found === null || whole)
  return right ? [] : [{ what, ending, found }]
}

/**
 * Stores what calls need, while the store is well.
 *
 * @returns makes one call of each kind, all at the same time, each on a document that no other changes.
 */
export async function prepareEveryCall(service: ServiceForTests): Promise<() => Promise<EndedCalls>> {
  const call = timed(await callerOf(service))
  const tickets = await ticketCalls(service)
  const own = (what: string) => `${what}-${crypto.randomUUID()}`
  const [old, gone, ticketed] = [own('old'), own('gone'), own('ticketed')]
  const [kept, removed, sent] = [randomDocument(1.5 * MiB), randomDocument(KiB), randomDocument(KiB)]
  const store = async (name: string, body: Uint8Array<ArrayBuffer>) => {
    const { status } = await call(`${calledType}/${name}`, { method: 'PUT', body })
    if (status !== 201) throw new Error(`the store is not well: an upload was answered ${status}`)
  }
  await store(old, kept)
  await store(gone, removed)
  const ticket = await tickets.uploaded(ticketed, sent)
  const endings: Ending[] = []

  async function upload(what: string, bytes: Uint8Array<ArrayBuffer>, asked: Call) {
    const name = own(what)
    const { ending } = await endOf(call(`${calledType}/${name}`, { method: 'PUT', ...asked }))
    endings.push(ending)
    return () => uploadFlaws(service, what, { name, bytes, ending })
  }

  async function read(what: string, path: string, asked: Call = {}, expected?: Uint8Array) {
    const { ending, bytes } = await endOf(call(path, asked))
    endings.push(ending)
    const isRight = !expected || digestOf(bytes) === digestOf(expected)
    const right = ending === 200 ? isRight : troubled.includes(ending)
    return async () => (right ? [] : [{ what, ending, found: bytes.length }])
  }

  async function write(what: string, path: string, asked: Call, good: readonly Ending[]) {
    const { ending } = await endOf(call(path, asked))
    endings.push(ending)
    const right = troubled.includes(ending) || good.includes(ending)
    return async () => (right ? [] : [{ what, ending, found: null }])
  }

  return async () => {
    const [small, large, staged] = [randomDocument(KiB), randomDocument(1.5 * MiB), randomDocument(9 * MiB)]
    const document = `${calledType}/${old}`
    const looks = await Promise.all([
      upload('small', small, { body: small }),
      upload('streamed', large, { body: large, headers: { 'repr-digest': reprDigestOf(large) } }),
      upload('staged', staged, { body: inChunks(staged) }),
      read('get', document, {}, kept),
      read('head', `${document}/versions/${digestOf(kept)}`, { method: 'HEAD' }),
      read('list', `?type=${calledType}&name=${old}`),
      read('versions', `${document}/versions`),
      write(
        'tag',
        `${document}/tags/stable`,
        { method: 'PUT', ...jsonBody({ digest: digestOf(kept) }) },
        [200, 201],
      ),
      write('delete', `${calledType}/${gone}/versions/${digestOf(removed)}`, { method: 'DELETE' }, [204]),
      write(
        'complete',
        `${calledType}/${ticketed}/uploads/${ticket.id}/complete`,
        { method: 'POST', ...jsonBody({ ticket: ticket.ticket }) },
        [200, 201],
      ),
    ])
    return {
      endings,
      async flaws() {
        const all = await Promise.all([
          ...looks.map((look) => look()),
          read('get', document, {}, kept).then((look) => look()),
        ])
        return all.flat()
      },
    }
  }
}
