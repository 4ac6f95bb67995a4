import { directToLoopback, isLoopback } from '../wire/loopback.ts'
import { ArgumentError, type CallIds, ConnectionError } from './errors.ts'
import { problemFrom } from './problem.ts'
import { checked } from './references.ts'
import type { TransferLimits } from './transfer-limits.ts'
import { fetchByXhr, hasXhr } from './xhr-fetch.ts'

/** Sends one request with one body to a `Response`; the runtime's own `fetch` is one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ConnectionOptions {
  /** Where the service listens, `https://documents.example.com`; a path in it is kept as a prefix. Plain http: loopback only. */
  url: string
  /** The bearer token, or a function asked for it before every call. */
  token: string | (() => string | Promise<string>)
  tenant: string
  /** Replaces the `fetch` of the runtime, for calls to the service and to the store. */
  fetch?: Fetch | undefined
  /** Sizes, attempts and patience of transfers straight to the store. */
  transfers?: Partial<TransferLimits> | undefined
  /** 1–128 of `A-Z a-z 0-9 . _ : -`; one that names all calls, or a function asked for each. Default: random. */
  correlationId?: string | (() => string) | undefined
  /** The caller's current span as a W3C `traceparent`. Default: each call starts a trace that is sampled. */
  traceparent?: (() => string | undefined) | undefined
}

export interface Call {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Below the tenant's documents; empty for the listing. */
  path: string
  query?: Readonly<Record<string, string | number | undefined>>
  headers?: Readonly<Record<string, string>>
  body?: NonNullable<RequestInit['body']>
  /** Called with the bytes of `body` sent so far; browsers only, since other runtimes do not report them. */
  onSentBytes?: ((bytes: number) => void) | undefined
  signal?: AbortSignal | undefined
}

/** A successful answer with its body unread, and the ids of the call in the logs. */
export interface Answer {
  response: Response
  ids: CallIds
  /** Turns a failure to read the body into the error for the caller. */
  failure: (error: unknown) => unknown
}

/**
 * Sends a call with the token, the correlation id and the trace.
 *
 * @throws {ProblemError} for every answer except 2xx; redirects are not followed, since they would forward the token
 * @throws {ConnectionError} if there was no answer
 * @throws {ArgumentError} for a token or correlation id that cannot be sent
 */
export type Send = (call: Call) => Promise<Answer>

const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/
const correlationForm = /^[A-Za-z0-9._:-]{1,128}$/
const traceForm = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/** Creates the function that sends all calls of a client. @throws {ArgumentError} for a malformed or plain URL, or tenant */
export function createSend(options: ConnectionOptions): Send {
  const base = baseUrl(options.url)
  const documents = `${base.href.replace(/\/$/, '')}/v1/tenants/${checked('tenant', options.tenant)}/documents`
  return async (call) => {
    call.signal?.throwIfAborted()
    const traceparent = currentTraceparent(options)
    const sent = { correlationId: currentCorrelationId(options), traceId: traceIdOf(traceparent) ?? '' }
    const failure = (error: unknown) =>
      call.signal?.aborted ? call.signal.reason : connectionError(error, base, sent)
    const headers = new Headers(call.headers)
    headers.set('authorization', `Bearer ${await bearer(options.token)}`)
    headers.set('x-correlation-id', sent.correlationId)
    headers.set('traceparent', traceparent)
    const fetch = fetchFor(call, options)
    const response = await fetch(documents + call.path + queryOf(call), init(call, headers)).catch(
      (error) => {
        throw failure(error)
      },
    )
    const ids = { ...sent, traceId: traceIdOf(response.headers.get('traceparent')) ?? sent.traceId }
    if (!response.ok) throw await problemFrom(response, call.method, ids)
    return { response, ids, failure }
  }
}

function fetchFor({ onSentBytes }: Call, { fetch }: ConnectionOptions): Fetch {
  if (fetch) return fetch
  if (onSentBytes && hasXhr()) return (url, init) => fetchByXhr(url, init, onSentBytes)
  return runtimeFetch
}

/** The `fetch` of the runtime, which is kept from sending what stays on this machine to a proxy. */
export const runtimeFetch: Fetch = (url, init) => globalThis.fetch(url, { ...directToLoopback(url), ...init })

function init(call: Call, headers: Headers): RequestInit {
  return {
    method: call.method,
    headers,
    redirect: redirectOf(call.body),
    ...(mayRepeat(call) ? {} : { keepalive: false }),
    ...(call.signal ? { signal: call.signal } : {}),
    ...(call.body === undefined ? {} : { body: call.body }),
    // Fetch standard: a stream as body needs this member, which the DOM types do not know yet.
    ...(call.body instanceof ReadableStream ? { duplex: 'half' } : {}),
  }
}

/**
 * Returns whether a second copy of the call is answered like the first. Bun sends a request again by itself if a
 * connection that it has used before breaks unanswered; with `keepalive: false` it takes a new connection, and the caller
 * learns that there was no answer. Otherwise a conditional change that was made would be answered 412, and a deletion 404.
 */
function mayRepeat({ method, headers = {} }: Call): boolean {
  const isConditional = 'if-match' in headers || 'if-none-match' in headers
  return method === 'GET' || method === 'HEAD' || (method !== 'DELETE' && !isConditional)
}

/**
 * Returns the redirect mode for a body: redirects are never followed. For a stream the runtime itself has to fail:
 * with every other mode Node 20 keeps the whole body in memory (measured: 1,055 MiB more for 1 GiB, 37 MiB with `error`).
 */
export function redirectOf(body: unknown): 'error' | 'manual' {
  return body instanceof ReadableStream ? 'error' : 'manual'
}

function baseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const plain =
    url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  if (!plain)
    throw new ArgumentError('url must be http(s)://host[:port][/path], without user, query or fragment')
  if (url.protocol === 'http:' && !isLoopback(url))
    throw new ArgumentError('url must be https: over plain http the token would be readable on its way')
  return url
}

function queryOf({ query = {} }: Call): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, `${value}`]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

/** Checked here because a runtime that refuses a header quotes it in its message (RFC 6750 section 2.1). */
async function bearer(token: ConnectionOptions['token']): Promise<string> {
  const value = typeof token === 'string' ? token : await token()
  if (!tokenForm.test(value))
    throw new ArgumentError('The token is not a bearer token (RFC 6750 section 2.1).')
  return value
}

function currentCorrelationId({ correlationId }: ConnectionOptions): string {
  const value = typeof correlationId === 'function' ? correlationId() : (correlationId ?? randomHex(16))
  if (!correlationForm.test(value))
    throw new ArgumentError(`The correlation id must match ${correlationForm.source}`)
  return value
}

function currentTraceparent({ traceparent }: ConnectionOptions): string {
  const given = traceparent?.()
  return given !== undefined && traceIdOf(given) !== null ? given : `00-${randomHex(16)}-${randomHex(8)}-01`
}

function traceIdOf(traceparent: string | null): string | null {
  return traceForm.exec(traceparent ?? '')?.[1] ?? null
}

/** Returns random bytes as hexadecimal digits. `crypto.randomUUID` is absent on pages that were not loaded over https. */
export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes))
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function connectionError(error: unknown, base: URL, ids: CallIds): ConnectionError {
  return new ConnectionError(base.origin, reasonOf(error), ids)
}

/** Returns the code of an error of the runtime, or `unknown`: its messages may quote headers and URLs. */
export function reasonOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } }
  const reason = [code, cause?.code].find(
    (value) => typeof value === 'string' && /^[A-Za-z_]{1,64}$/.test(value),
  )
  return typeof reason === 'string' ? reason : 'unknown'
}
