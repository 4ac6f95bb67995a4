import type { DocumentsClient } from '../../../service/client/client.ts'
import type { TransferLimits } from '../../../service/client/transfer-limits.ts'
import { clientOf, documentOf, documents, problemAnswer, serve } from './client-service.ts'

/** Made per run: what makes a signed URL a credential. */
export const signature = `signature-${crypto.randomUUID()}`

/** Short pauses, so that tests of repetitions do not wait; a byte is large enough for a ticket. */
const quick: Partial<TransferLimits> = { ticketBytesMin: 1, retrySecondsBase: 0.001 }

export interface Stored {
  method: string
  headers: Record<string, string>
  /** As it came over the wire. */
  raw: Uint8Array<ArrayBuffer>
  /** The file of a form, or all of it. */
  file: Uint8Array<ArrayBuffer>
  /** Names of the form's parts, in their order. */
  parts: string[]
}

export interface TicketScript {
  method?: 'POST' | 'PUT'
  /** Seconds from now; negative for a ticket that is too old already. */
  lifeSeconds?: number
  /** Takes the place of the usual answer where it gives one; `call` counts from 1. */
  ticket?: (call: number) => Response | undefined
  store?: (call: number, request: Request) => Response | undefined | Promise<Response | undefined>
  complete?: (call: number) => Response | undefined
  /** Where the store is said to be; default: a server of its own that takes everything. */
  storeUrl?: string
}

/** The calls of the service that uploads by ticket need, a store next to it, and what both received. */
export function serveTickets(script: TicketScript = {}) {
  const tickets: { body: unknown; id: string }[] = []
  const completions: { id: string; body: unknown }[] = []
  const stored: Stored[] = []
  const throughService: Uint8Array<ArrayBuffer>[] = []
  let storeCalls = 0

  const store = serve(async (request) => {
    const instead = await script.store?.(++storeCalls, request)
    if (instead) return instead
    stored.push(await storedFrom(request))
    return new Response(null, { status: 204 })
  })
  const ticketOf = (id: string) => ({
    id,
    ticket: `ticket-${id}`,
    url: `${script.storeUrl ?? store.url}/bucket/staging/${id}?X-Amz-Signature=${signature}`,
    expiresAt: new Date(Date.now() + (script.lifeSeconds ?? 900) * 1000).toISOString(),
    completeBefore: new Date(Date.now() + 3_600_000).toISOString(),
    ...(script.method === 'PUT'
      ? { method: 'PUT', headers: { 'content-type': 'text/plain', 'x-amz-checksum-sha256': 'abc=' } }
      : {
          method: 'POST',
          fields: { key: `staging/${id}`, 'Content-Type': 'text/plain', Policy: signature },
        }),
  })
  const service = serve(async (request, { pathname }) => {
    if (request.method === 'PUT') {
      const bytes = await request.bytes()
      throughService.push(bytes)
      return Response.json(documentOf(bytes), { status: 201 })
    }
    const body: unknown = await request.json()
    if (pathname === `${documents}/definitions/orders.json/uploads`) {
      const id = `${tickets.length + 1}`.padStart(32, '0')
      tickets.push({ body, id })
      return script.ticket?.(tickets.length) ?? Response.json(ticketOf(id), { status: 201 })
    }
    const id = /^.*\/uploads\/([0-9a-f]{32})\/complete$/.exec(pathname)?.[1]
    if (id === undefined) return problemAnswer(404, { code: 'route_not_found' })
    completions.push({ id, body })
    const file = stored.at(-1)?.file ?? new Uint8Array()
    return script.complete?.(completions.length) ?? Response.json(documentOf(file), { status: 201 })
  })
  return {
    url: service.url,
    storeUrl: store.url,
    tickets,
    completions,
    stored,
    throughService,
    [Symbol.dispose]() {
      service[Symbol.dispose]()
      store[Symbol.dispose]()
    },
  }
}

export function ticketClient(url: string, transfers: Partial<TransferLimits> = {}): DocumentsClient {
  return clientOf(url, { transfers: { ...quick, ...transfers } })
}

/** A port on which nothing listens any more. */
export function deadUrl(): string {
  using gone = serve(() => new Response())
  return gone.url
}

async function storedFrom(request: Request): Promise<Stored> {
  const { method } = request
  const headers = Object.fromEntries(request.headers)
  const raw = await request.bytes()
  if (method === 'PUT') return { method, headers, raw, file: raw, parts: [] }
  // Bun's own reader of forms: apart from what wrote them.
  const form = await new Response(raw, {
    headers: { 'content-type': headers['content-type'] ?? '' },
  }).formData()
  const file = form.get('file')
  if (!(file instanceof Blob)) throw new Error('the form has no file')
  return { method, headers, raw, file: new Uint8Array(await file.arrayBuffer()), parts: [...form.keys()] }
}

/** The error of S3, in its form. */
export function s3Error(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Resource>${signature}</Resource></Error>`
  return new Response(body, { status, headers: { 'content-type': 'application/xml', ...headers } })
}
