import { Elysia, ValidationError } from 'elysia'
import type { ProblemError } from './problem.ts'
import type { AdmittedContext } from './request-context.ts'
import { type FormError, formProblem, readQuery } from './request-form.ts'
import type { Route } from './route.ts'

/** Takes an authorised request to its route's handler. Errors leave as exceptions for the edge. */
export interface Router {
  dispatch(request: Request, parameters: URLSearchParams, context: AdmittedContext): Promise<Response>
}

/** What becomes of a request inside Elysia. */
interface Dispatched {
  parameters: URLSearchParams
  context: AdmittedContext
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

  // Elysia answers HEAD by the GET of the same address, and reads all that it would send to tell its length.
  const heads = new Map(routes.filter(({ method }) => method === 'HEAD').map((route) => [route.path, route]))

  for (const route of routes) {
    if (route.method === 'HEAD') continue
    app.route(
      route.method,
      route.path,
      async ({ request, params }) => {
        const dispatched = underWay.get(request)
        const asked = request.method === 'HEAD' ? heads.get(route.path) : route
        if (!dispatched || !asked)
          throw new Error('a request came to its handler without having been admitted')
        const { context, parameters } = dispatched
        const query = readQuery(asked.query, parameters)
        dispatched.response = await asked.handle({ request, params, query, context })
        // Ours goes out past Elysia, which would change the length of a HEAD.
        return new Response(null)
      },
      // Bodies are read by the handlers: streamed, or bounded and checked.
      { params: route.params, parse: 'none' },
    )
  }

  return {
    async dispatch(request, parameters, context) {
      const dispatched: Dispatched = { parameters, context }
      underWay.set(request, dispatched)
      await app.fetch(request)
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
