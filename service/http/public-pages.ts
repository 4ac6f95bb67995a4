import { methodNotAllowed, noSuchRoute } from './problem.ts'

/** Addresses that anyone may read, by their path. */
export type PublicPages = ReadonlyMap<string, (request: Request) => Response | Promise<Response>>

/** @throws {ProblemError} `route_not_found`, `method_not_allowed` */
export async function publicAnswer(
  pages: PublicPages,
  request: Request,
  pathname: string,
): Promise<Response> {
  const page = pages.get(pathname)
  if (!page) throw noSuchRoute()
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(['GET', 'HEAD'])
  return page(request)
}
