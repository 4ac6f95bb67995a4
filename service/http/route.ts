import type { Static, TObject, TSchema } from '@sinclair/typebox'
import type { Action } from '../authz/policy.ts'
import type { ProblemCode } from '../wire/problems.ts'
import type { AdmittedContext } from './request-context.ts'

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

/**
 * One call of the API, said once: the edge authorises by it, Elysia routes and validates by it, and OpenAPI
 * describes it.
 */
export interface Route<Path extends TObject = TObject, Query extends TObject = TObject> {
  method: Method
  /** With `:parameter` segments. */
  path: string
  action: Action
  params: Path
  query: Query
  /** What the request carries: a document's bytes, JSON of this shape, or nothing. */
  body: 'none' | 'document' | { json: TSchema; optional?: true }
  summary: string
  /** Request headers beyond those that every call takes, by name, with their meaning. */
  requestHeaders: Readonly<Record<string, string>>
  answers: readonly Answer[]
  /** Problems of its own; those of every call are added where they are described. */
  problems: readonly ProblemCode[]
  handle(call: RouteCall<Static<Path>, Static<Query>>): Promise<Response>
}

export interface Answer {
  status: number
  description: string
  /** `null` without a body, `bytes` for a document. */
  body: TSchema | 'bytes' | null
  /** Response headers beyond those of every answer. */
  headers: Readonly<Record<string, string>>
}

/** A request that was authorised and has the form that its route asks for. */
export interface RouteCall<Path, Query> {
  request: Request
  params: Path
  query: Query
  context: AdmittedContext
}

/** Keeps the types of path and query inside the route, and lets a list hold routes of all kinds. */
export function defineRoute<Path extends TObject, Query extends TObject>(route: Route<Path, Query>): Route {
  return route as unknown as Route
}

export type RouteMatch =
  | { found: true; route: Route; params: Record<string, string> }
  /** `others`: routes of the same address for other methods; none if there is no such address. */
  | { found: false; others: Route[] }

/**
 * Finds the route of a request; parameters are percent-decoded and otherwise unchecked. The fixed segments are
 * compared as they came, as Elysia does: an address that only one of us knew would be admitted and then lost.
 */
export function matchRoute(routes: readonly Route[], method: string, pathname: string): RouteMatch {
  const segments = pathname.split('/')
  const others: Route[] = []
  for (const route of routes) {
    const params = matchSegments(route.path.split('/'), segments)
    if (!params) continue
    if (route.method === method) return { found: true, route, params }
    others.push(route)
  }
  return { found: false, others }
}

function matchSegments(
  template: readonly string[],
  segments: readonly string[],
): Record<string, string> | null {
  if (template.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [at, expected] of template.entries()) {
    const segment = segments[at] ?? ''
    if (expected.startsWith(':') && segment !== '') params[expected.slice(1)] = decodeSegment(segment)
    else if (expected !== segment) return null
  }
  return params
}

/** A malformed percent-encoding stays as it is, and then fails its pattern. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
