import { streamOf } from '../stores/bodies.ts'
import type { ServiceForTests } from './service-for-tests.ts'

export interface Call {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: BodyInit
  signal?: AbortSignal
  /** False: takes a connection of its own, over which Bun never sends a request a second time by itself. */
  keepalive?: boolean
}

/** Calls the API with one token. Paths that do not begin with `/` are below the documents of tenant `acme`. */
export type Caller = (path: string, call?: Call) => Promise<Response>

export const acme = '/v1/tenants/acme/documents'

/** Returns a caller of the service. @param token `null` for none; default: a good one with all scopes for `acme`. */
export async function callerOf(service: ServiceForTests, token?: string | null): Promise<Caller> {
  const bearer = token === undefined ? await service.token() : token
  return (path, { headers, ...call } = {}) =>
    fetch(new URL(addressOf(path), service.url), {
      ...call,
      redirect: 'manual',
      headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
    })
}

function addressOf(path: string): string {
  if (path.startsWith('/')) return path
  return path === '' || path.startsWith('?') ? `${acme}${path}` : `${acme}/${path}`
}

/** A JSON object, such as a document as the API shows it. */
export type Json = Record<string, unknown>

/** Reads the body of a response as a JSON object. */
export async function jsonOf(response: Response): Promise<Json> {
  return (await response.json()) as Json
}

/** Returns status and code of a refusal, such as `404 document_not_found`, after checking the form of the problem. */
export async function refusalOf(response: Response): Promise<string> {
  const problem = await jsonOf(response)
  const { status, code, type, traceId } = problem
  const wellFormed =
    response.headers.get('content-type') === 'application/problem+json' &&
    status === response.status &&
    type === `urn:cloudlysis:problem:${code}` &&
    response.headers.get('traceparent')?.split('-')[1] === traceId
  return wellFormed ? `${status} ${code}` : `not a problem: ${JSON.stringify(problem)}`
}

/** Uploads `body` and returns the document that the service answers. @throws {Error} if it refuses. */
export async function put(call: Caller, path: string, body: BodyInit): Promise<Json> {
  const response = await call(path, { method: 'PUT', body })
  if (!response.ok) throw new Error(`PUT ${path}: ${await refusalOf(response)}`)
  return jsonOf(response)
}

/** Returns a body without a declared length, which is sent in chunks. */
export function chunked(...parts: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return streamOf(...parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}
