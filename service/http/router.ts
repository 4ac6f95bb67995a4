import { Elysia, ValidationError } from 'elysia'
import type { ProblemError } from './problem.ts'
import type { AdmittedContext } from './request-context.ts'
import { type FormError, formProblem, readQuery } from './request-form.ts'
import type { Route } from './route.ts'

/** A request that may do what `route` does. */
export interface AdmittedRequest {
  route: Route
  request: Request
  parameters: URLSearchParams
  context: AdmittedContext
}

/** Takes an authorised request to its route's handler. Errors leave as exceptions for the edge. */
export interface Router {
  dispatch(admitted: AdmittedRequest): Promise<Response>
}

/** What becomes of a request inside Elysia. */
interface Dispatched extends AdmittedRequest {
  response?: Response
  failure?: { error: unknown }
}

/**
 * Elysia on the table of routes: it finds the route and checks the path against its schema. The query is checked
 * here, since Elysia takes `1e1`, `0x10` and `+5` for whole numbers, or no text at all, depending on who built
 * the schema.
 */
export function createRouter(routes: readonly Route[]): Router {
  const underWay = new WeakMap<Request, Dispatched>()

  const app = new Elysia({
    // The default silently drops unknown fields, which must be refused.
    normalize: false,
    // The default knows each address with a slash at its end, too; we do not.
    strictPath: true,
    // The default takes host names of fewer than four characters for a part of the path.
    handler: { standardHostname: false },
  }).onError(({ error, request }) => {
    // The edge turns it into an answer, as it does for whatever fails outside of Elysia.
    const dispatched = underWay.get(request)
    if (dispatched) {
      dispatched.failure = { error: error instanceof ValidationError ? validationProblem(error) : error }
    }
    return new Response(null, { status: 500 })
  })

  for (const { method, path, params: schema } of routes) {
    // Elysia answers HEAD by the GET of the same address, and reads all that it would send to tell its length.
    if (method === 'HEAD') continue
    app.route(
      method,
      path,
      async ({ request, params }) => {
        const dispatched = underWay.get(request)
        // What was admitted is done and nothing else, should Elysia ever read an address in another way.
        if (dispatched?.route.path !== path)
          throw new Error(`a request came to ${path} without being admitted`)
        const { route, context, parameters } = dispatched
        const query = readQuery(route.query, parameters)
        dispatched.response = await route.handle({ request, params, query, context })
        // Ours goes out past Elysia, which would change the length of a HEAD.
        return new Response(null)
      },
      // Bodies are read by the handlers: streamed, or bounded and checked.
      { params: schema, parse: 'none' },
    )
  }

  return {
    async dispatch(admitted) {
      const dispatched: Dispatched = { ...admitted }
      underWay.set(admitted.request, dispatched)
      await app.fetch(admitted.request)
      if (dispatched.failure) throw dispatched.failure.error
      if (!dispatched.response) throw new Error('a request was admitted for which there is no handler')
      return dispatched.response
    },
  }
}

function validationProblem(error: ValidationError): ProblemError {
  const errors = error.all.map((each): FormError => {
    const { path = '', message = 'has the wrong form' } = each as { path?: string; message?: string }
    return { in: 'path', pointer: path, message }
  })
  return formProblem(errors)
}
