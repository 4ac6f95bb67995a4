import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import type { Action } from '../authz/policy.ts'
import type { Principal } from '../authz/principal.ts'
import { limits } from '../limits.ts'
import type { TraceContext } from '../telemetry/trace-context.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'
import type { ProblemCode } from '../wire/problems.ts'
import type { ProblemError } from './problem.ts'

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

/** One call of the API, said once: admission authorises by it, Elysia validates by it, and OpenAPI describes it. */
export interface Route<Path extends TObject = TObject, Query extends TObject = TObject> {
  method: Method
  /** With `:parameter` segments. */
  path: string
  action: Action
  /** Its parameter `link` is the credential, in place of a token, and may not be in any log or trace. */
  credential?: 'link'
  params: Path
  query: Query
  /** What the request carries: a document's bytes, JSON of this shape and up to this size, or nothing. */
  body: 'none' | 'document' | JsonBody
  /** It is about many things of the noun of its action, which its body names. */
  many?: true
  /** It may take as long as an upload, and is counted as one. */
  isLong?: true
  summary: string
  /** Request headers beyond those that every call takes, by name, with their meaning. */
  requestHeaders: Readonly<Record<string, string>>
  answers: readonly Answer[]
  /** Problems of its own; those of every call are added where they are described. */
  problems: readonly ProblemCode[]
  handle(call: RouteCall<Static<Path>, Static<Query>>): Promise<Response>
}

export interface JsonBody {
  json: TSchema
  optional?: true
  /** Default: `limits.jsonBodyBytesMax`. */
  bytesMax?: number
}

/** Returns how many bytes a JSON body may have. */
export function jsonBytesMax({ bytesMax = limits.jsonBodyBytesMax }: JsonBody): number {
  return bytesMax
}

/** Problems of every call that changes the record of a document. */
export const recordProblems: readonly ProblemCode[] = [
  'busy',
  'integrity_violated',
  'compare_and_set_unavailable',
]

export interface Answer {
  status: number
  description: string
  /** `null` without a body, `bytes` for a document, `tar` for an archive of documents. */
  body: TSchema | 'bytes' | 'tar' | null
  /** Response headers beyond those of every answer. */
  headers: Readonly<Record<string, string>>
}

/** A request that was authorised and has the form that its route asks for. */
export interface RouteCall<Path, Query> {
  request: Request
  params: Path
  query: Query
  context: AdmittedContext
  /**
   * Waits for what may happen: the request leaves its tenant's share of those under way, and counts as a watch.
   *
   * @throws {ProblemError} `too_many_requests`, `busy`; what `wait` throws
   */
  standBy<T>(wait: () => Promise<T>): Promise<T>
}

/** What the answer to a request about one item alone would be: status, and code of its problem. */
export interface ItemAnswer {
  status: number
  code?: ProblemCode | undefined
}

/** What is known of a request before anything was decided about it. */
export interface RequestContext {
  correlationId: string
  trace: TraceContext
  clientAddress: string | undefined
  /** When the request came in: orders the moves of `latest`. */
  admittedAt: Date
}

/** What the handler of a route knows of a request that may proceed. */
export interface AdmittedContext extends RequestContext {
  principal: Principal
  /** It came in by the listener, which tells when its answer has left. */
  isServed: boolean
  /**
   * Logs that a body broke off after its answer had begun. Bun prints what a body errs with, stack and source
   * lines included, on standard error; one that errs with nothing just resets the connection.
   */
  bodyFailed(reason: unknown): void
  /**
   * Writes the audit line of a signed URL (its id and expiry); to be called before it is given out.
   *
   * @param about what it is for, where the path does not say so.
   */
  auditSignedUrl(signedUrl: { id: string; expiresAt: string }, about?: RequestSubject): void
  /**
   * Writes the audit line that allows the action of the route for one of the things that the body names; to be called
   * before anything is done to it.
   *
   * @returns what writes the line of how that ended, in place of the one for the whole request.
   */
  auditItem(about: RequestSubject): (answer: ItemAnswer) => void
  /** Returns what one of the things that the body names failed with as a problem, and logs it like that of a request. */
  itemProblem(error: unknown): ProblemError
  /** Tells log and trace what the path does not say, such as the digest of an upload. */
  found(subject: RequestSubject): void
}

/** Parts of a route that most routes do not need. */
type Defaults = 'query' | 'body' | 'requestHeaders' | 'problems'

/** A {@link Route} as it is written: without a query, a body, headers and problems of its own, unless it names them. */
type RouteDefinition<Path extends TObject, Query extends TObject> = Omit<Route<Path, Query>, Defaults> &
  Partial<Pick<Route<Path, Query>, Defaults>>

/** The query of a route that takes none: every parameter is refused. */
export const noQuery = Type.Object({}, { additionalProperties: false })

/** Returns a route. Its handler has the types of path and query; a list may hold routes of all kinds. */
export function defineRoute<Path extends TObject, Query extends TObject = typeof noQuery>(
  definition: RouteDefinition<Path, Query>,
): Route {
  const defaults = { query: noQuery, body: 'none', requestHeaders: {}, problems: [] }
  return { ...defaults, ...definition } as unknown as Route
}

/** How JSON answers describe their `Cache-Control`: nothing but the bytes of a version may be cached. */
export const noStore = { 'Cache-Control': 'no-store' }

/** Returns a JSON answer, which no cache may keep. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}

/**
 * Returns the routes with a HEAD before every GET that has none (RFC 9110 section 9.3.2): it does what GET does, and
 * sends the headers alone. A GET of bytes has a HEAD of its own, which does not read them.
 */
export function withHeads(routes: readonly Route[]): Route[] {
  const hasHead = (path: string) => routes.some((route) => route.method === 'HEAD' && route.path === path)
  return routes.flatMap((route) =>
    route.method === 'GET' && !hasHead(route.path) ? [headOf(route), route] : [route],
  )
}

function headOf(route: Route): Route {
  return {
    ...route,
    method: 'HEAD',
    summary: `Headers alone: ${route.summary.charAt(0).toLowerCase()}${route.summary.slice(1)}`,
    answers: route.answers.map((answer) => ({
      ...answer,
      body: null,
      headers: answer.body === null ? answer.headers : { ...answer.headers, ...sized },
    })),
    async handle(call) {
      const answer = await route.handle(call)
      if (answer.body === null) return answer
      const { byteLength } = await answer.arrayBuffer()
      answer.headers.set('content-length', String(byteLength))
      return new Response(null, { status: answer.status, headers: answer.headers })
    },
  }
}

const sized = { 'Content-Length': 'Bytes of the answer to GET' }

/** All methods of one address. They share the form of its parameters. */
export interface Address {
  path: string
  params: TObject
  routes: readonly [Route, ...Route[]]
}

/**
 * Groups the table of routes by address, both in the order of the table.
 *
 * @throws {Error} if two routes of one address disagree about its parameters.
 */
export function addressesOf(routes: readonly Route[]): Address[] {
  const byPath = new Map<string, [Route, ...Route[]]>()
  for (const route of routes) {
    const others = byPath.get(route.path)
    if (others && others[0].params !== route.params) throw new Error(`${route.path} has two forms of path`)
    if (others) others.push(route)
    else byPath.set(route.path, [route])
  }
  return [...byPath].map(([path, all]) => ({ path, params: all[0].params, routes: all }))
}
