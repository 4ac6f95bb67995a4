import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import {
  createProbeClient,
  type ProbeAnswer,
  type ProbeClient,
} from '../../../service/object-store/s3/probe-client.ts'

/** A request as the store would see it. Path-style only; bodies are small and text. */
export interface SeenRequest {
  method: string
  bucket: string
  /** Of the object, in the bucket; of a form the one that it asks for. Empty for the bucket itself. */
  key: string
  query: Readonly<Record<string, string>>
  headers: Headers
  /** True for a POST of form fields. */
  isForm: boolean
  body: string
}

/** How the answers differ from those of the store behind it. They apply in this order. */
export interface Lies {
  /** Asked before the store is; `null` lets it answer. `owner` speaks to it with the owner's keys. */
  answer?: (request: SeenRequest, owner: ProbeClient) => Promise<Response | null> | Response | null
  /** Keys whose refused requests are still carried out, without their conditions and checksums. */
  obey?: RegExp
  /** Receives the answer, and may return another one instead. */
  change?: (response: Response, request: SeenRequest) => Promise<Response> | Response
}

export interface LyingStore extends StoreConnection {
  bucket: string
  connectionsMax: number
  stop(): Promise<void>
}

/**
 * Starts a store that lies, in front of a real one, for verdicts of the probe that no real store gives.
 * Whole requests in memory; `strict-proxy.ts` is the one for streams.
 */
export function startLyingStore(store: StoreConnection & { bucket: string }, lies: Lies): LyingStore {
  const connection = { ...store, connectionsMax: 16 }
  const owner = createProbeClient(connection)
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    // A lie may be that nothing is answered.
    idleTimeout: 0,
    async fetch(request) {
      const bytes = await request.arrayBuffer()
      const seen = await requestSeen(request, bytes)
      const canned = (await lies.answer?.(seen, owner)) ?? null
      const answer = canned ?? (await passedOn(request, bytes, store))
      const wanted = canned === null && answer.status >= 400 && lies.obey?.test(seen.key) === true
      const response = wanted ? responseOf(await obeyed(seen, owner)) : answer
      return (await lies.change?.(response, seen)) ?? response
    },
  })
  return { ...connection, endpoint: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) }
}

/** Returns an S3 error of that status. */
export function refusal(status: number, code = 'AccessDenied'): Response {
  return new Response(`<Error><Code>${code}</Code></Error>`, {
    status,
    headers: { 'content-type': 'application/xml' },
  })
}

/** Returns the probe client's answer as a response. */
export function responseOf({ status, headers, text }: ProbeAnswer): Response {
  const kept = new Headers(headers)
  for (const name of hopByHop) kept.delete(name)
  return new Response(text === '' ? null : text, { status, headers: kept })
}

const hopByHop = ['connection', 'content-length', 'keep-alive', 'transfer-encoding']

async function requestSeen(request: Request, bytes: ArrayBuffer): Promise<SeenRequest> {
  const { pathname, searchParams } = new URL(request.url)
  const [, bucket = '', ...key] = decodeURIComponent(pathname).split('/')
  const type = request.headers.get('content-type') ?? ''
  const isForm = request.method === 'POST' && type.startsWith('multipart/form-data')
  const form = isForm ? await new Response(bytes, { headers: { 'content-type': type } }).formData() : null
  const file = form?.get('file')
  return {
    method: request.method,
    bucket,
    key: form ? String(form.get('key')) : key.join('/'),
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    isForm,
    body: file instanceof Blob ? await file.text() : new TextDecoder().decode(bytes),
  }
}

async function passedOn(request: Request, bytes: ArrayBuffer, store: StoreConnection): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const response = await fetch(`${store.endpoint}${pathname}${search}`, {
    method: request.method,
    // With the host that was signed.
    headers: request.headers,
    redirect: 'manual',
    decompress: false,
    ...(bytes.byteLength === 0 ? {} : { body: bytes }),
  })
  const answer = await response.arrayBuffer()
  const headers = new Headers(response.headers)
  // The answer to a HEAD tells the size of what it does not carry.
  for (const name of hopByHop)
    if (request.method !== 'HEAD' || name !== 'content-length') headers.delete(name)
  return new Response(answer.byteLength === 0 ? null : answer, { status: response.status, headers })
}

/** What was asked, as its owner would ask it. */
function obeyed(
  { method, key, query, headers, isForm, body }: SeenRequest,
  owner: ProbeClient,
): Promise<ProbeAnswer> {
  const source = headers.get('x-amz-copy-source')
  const plain = Object.fromEntries(Object.entries(query).filter(([name]) => !/^x-amz-/i.test(name)))
  if (source !== null && !isForm) {
    return owner.send({ method: 'PUT', key, query: plain, headers: { 'x-amz-copy-source': source } })
  }
  const asked = isForm ? 'PUT' : (method as 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'POST')
  const sent = asked === 'PUT' || asked === 'POST' ? { body } : {}
  return owner.send({ method: asked, key: key === '' ? null : key, query: plain, ...sent })
}
