import { Elysia, ValidationError } from 'elysia'
import type { ProblemError } from './problem.ts'
import type { AdmittedContext } from './request-context.ts'
import { type FormError, formProblem } from './request-form.ts'
import type { Route } from './route.ts'

/** Takes an authorised request to its route's handler. Errors leave as exceptions for the edge. */
export interface Router {
  dispatch(request: Request, context: AdmittedContext): Promise<Response>
}

/** Elysia on the table of routes: it finds the route, and checks path and query against their schemas. */
export function createRouter(routes: readonly Route[]): Router {
  const contexts = new WeakMap<Request, AdmittedContext>()
  const failures = new WeakMap<Request, unknown>()

  const app = new Elysia({
    // The default silently drops unknown fields, which must be refused.
    normalize: false,
    // The default takes host names of fewer than four characters for a part of the path.
    handler: { standardHostname: false },
  }).onError(({ error, request }) => {
    // The edge turns it into an answer, as it does for whatever fails outside of Elysia.
    failures.set(request, error instanceof ValidationError ? validationProblem(error) : error)
    return new Response(null, { status: 500 })
  })

  for (const route of routes) {
    app.route(
      route.method,
      route.path,
      ({ request, params, query }) => {
        const context = contexts.get(request)
        if (!context) throw new Error('a request came to its handler without having been admitted')
        return route.handle({ request, params, query, context })
      },
      // Bodies are read by the handlers: streamed, or bounded and checked.
      { params: route.params, query: route.query, parse: 'none' },
    )
  }

  return {
    async dispatch(request, context) {
      contexts.set(request, context)
      const response = await app.fetch(request)
      if (failures.has(request)) throw failures.get(request)
      return response
    },
  }
}

function validationProblem(error: ValidationError): ProblemError {
  const part = error.type === 'params' ? 'path' : 'query'
  const errors = error.all.map((each): FormError => {
    const { path = '', message = 'has the wrong form' } = each as { path?: string; message?: string }
    return { in: part, pointer: path, message }
  })
  return formProblem(errors)
}
