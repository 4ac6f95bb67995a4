import { type Caller, callerOf, type Json, jsonOf } from './caller.ts'
import { digestOf } from './sample-documents.ts'
import type { ServiceForTests } from './service-for-tests.ts'
import { type Forgery, sendTicket, type Ticket } from './ticket-upload.ts'

export const contentType = 'application/x-test'

/** The three steps of an upload by ticket, as one subject, for the type `bundles`. */
export interface TicketCalls {
  call: Caller
  /** Asks for a ticket; `changed` replaces fields of the request body. */
  ask(name: string, bytes: Uint8Array, changed?: Json): Promise<Response>
  /** Asks for a ticket and returns it. @throws {Error} unless the answer is 201. */
  ticketFor(name: string, bytes: Uint8Array): Promise<Ticket>
  complete(name: string, ticket: Pick<Ticket, 'id' | 'ticket'>): Promise<Response>
  /** Asks for a ticket and uploads, but does not complete. */
  uploaded(name: string, bytes: Uint8Array<ArrayBuffer>, forgery?: Forgery): Promise<Ticket>
}

/** Returns the calls of one subject. @param token default: a good one, of `alice` in `acme`. */
export async function ticketCalls(service: ServiceForTests, token?: string): Promise<TicketCalls> {
  const call = await callerOf(service, token)
  const ca = service.connection.ca
  const calls: TicketCalls = {
    call,
    ask: (name, bytes, changed = {}) =>
      call(`bundles/${name}/uploads`, {
        method: 'POST',
        ...jsonBody({ digest: digestOf(bytes), size: bytes.length, contentType, ...changed }),
      }),
    async ticketFor(name, bytes) {
      const response = await calls.ask(name, bytes)
      const answer = await jsonOf(response)
      if (response.status !== 201) throw new Error(`no ticket: ${JSON.stringify(answer)}`)
      return answer as unknown as Ticket
    },
    complete: (name, { id, ticket }) =>
      call(`bundles/${name}/uploads/${id}/complete`, { method: 'POST', ...jsonBody({ ticket }) }),
    async uploaded(name, bytes, forgery) {
      const ticket = await calls.ticketFor(name, bytes)
      const sent = await sendTicket(ticket, bytes, { ca, ...forgery })
      if (!sent.ok) throw new Error(`the store refused the upload: ${sent.status} ${await sent.text()}`)
      return ticket
    },
  }
  return calls
}

/** Returns body and headers of a request that sends a value as JSON. */
export function jsonBody(value: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } }
}
