import { acme, type Call, type Caller, jsonOf, put } from '../service/caller.ts'
import { digestOf } from '../service/sample-documents.ts'
import type { InProcessService } from '../service/service-for-tests.ts'

/** A good call of one operation. */
export interface Sample {
  method: string
  path: string
  /** What its query needs, such as `?type=definitions`. */
  query: string
  call: Call
}

export const bytes = 'A'
export const document = 'definitions/a'
export const version = `${document}/versions/${digestOf(bytes)}`
/** The version as the body of a call about many names it. */
export const item = { type: 'definitions', name: 'a', digest: digestOf(bytes) }
/** Paths of the calls about many. */
export const ofMany = /\/documents\/(archive|archives|have|downloads|delete)$/
export const json = { 'content-type': 'application/json' }

/** Uploads the document that the samples are about: a version that is tagged `v1` as well as `latest`. */
export async function prepare(call: Caller): Promise<void> {
  await put(call, document, bytes)
  await call(`${document}/tags/v1`, moveTo(bytes))
}

/** Returns a call with a body of only a digest, such as a tag move. */
export function moveTo(content: string, headers: Record<string, string> = {}): Call {
  return {
    method: 'PUT',
    body: JSON.stringify({ digest: digestOf(content) }),
    headers: { ...json, ...headers },
  }
}

/** Returns a call that asks for an upload ticket. */
export function ticketFor(content: string, size = content.length): Call {
  const body = JSON.stringify({ digest: digestOf(content), size, contentType: 'text/plain' })
  return { method: 'POST', body, headers: json }
}

/** Asks for a ticket and returns how to upload its bytes and how to complete it. */
export async function ticketOf(call: Caller, path: string, content: string) {
  const ticket = await jsonOf(await call(`${path}/uploads`, ticketFor(content)))
  const body = JSON.stringify({ ticket: ticket.ticket })
  return {
    complete: `${path}/uploads/${ticket.id}/complete`,
    completion: { method: 'POST', body, headers: json } satisfies Call,
    async upload() {
      const form = new FormData()
      for (const [name, value] of Object.entries(ticket.fields as Record<string, string>))
        form.append(name, value)
      form.append('file', new Blob([content]))
      const response = await fetch(String(ticket.url), { method: 'POST', body: form })
      if (!response.ok) throw new Error(`the store answered ${response.status}`)
    },
  }
}

/** Returns one good call of every operation on documents, with its path as in the table of routes. */
export async function samplesOf(service: InProcessService, call: Caller): Promise<Sample[]> {
  const { complete, completion } = await ticketOf(call, 'definitions/sampled', 'never uploaded')
  const calls: Record<string, Call> = {
    PUT: { body: 'B' },
    'PUT tags': moveTo(bytes),
    'POST uploads': ticketFor('to be uploaded'),
    'POST complete': completion,
    'POST downloads': { body: '{}', headers: json },
  }
  const many: Call = { body: JSON.stringify({ documents: [item] }), headers: json }
  const values: Record<string, string> = {
    tenant: 'acme',
    type: 'definitions',
    name: 'a',
    digest: digestOf(bytes),
    tag: 'v1',
  }
  return service.routes.map(({ method, path }) => {
    const noun = path.split('/').findLast((segment) => !segment.startsWith(':')) ?? ''
    const address = path.endsWith('complete')
      ? `${acme}/${complete}`
      : path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? '')
    const query = noun === 'names' ? '?type=definitions' : ''
    const isMany = ofMany.test(path)
    const sample = isMany ? many : (calls[`${method} ${noun}`] ?? calls[method] ?? {})
    return { method, path: address, query, call: sample }
  })
}
