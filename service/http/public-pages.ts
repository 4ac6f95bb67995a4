import { methodNotAllowed, noSuchRoute } from './problem.ts'

/** What anyone may read at one address. */
export type PublicPage = (request: Request) => Response | Promise<Response>

/** Addresses that anyone may read. */
export interface PublicPages {
  /** By the path; `undefined` where there is none. */
  get(pathname: string): PublicPage | undefined
}

/** All of them; where two know an address, the first one's counts. */
export function anyOf(...all: readonly PublicPages[]): PublicPages {
  return {
    get(pathname) {
      for (const pages of all) {
        const page = pages.get(pathname)
        if (page) return page
      }
      return undefined
    },
  }
}

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
