import { methodNotAllowed, noSuchRoute } from '../problem.ts'

/** What anyone may read at one address. */
export type PublicPage = (request: Request) => Response | Promise<Response>

export interface FoundPage {
  /** What logs, traces and metrics call the address: one of a few, whatever is asked for. */
  route: string
  answer: PublicPage
}

/** Addresses that anyone may read. */
export interface PublicPages {
  /** By the path; `undefined` where there is none. */
  find(pathname: string): FoundPage | undefined
}

/** Pages that each have one address, which is also their route. */
export function pagesAt(pages: Readonly<Record<string, PublicPage>>): PublicPages {
  const byPath = new Map(Object.entries(pages))
  return {
    find(pathname) {
      const answer = byPath.get(pathname)
      return answer && { route: pathname, answer }
    },
  }
}

/** All of them; where two know an address, the first one's counts. */
export function anyOf(...all: readonly PublicPages[]): PublicPages {
  return {
    find(pathname) {
      for (const pages of all) {
        const page = pages.find(pathname)
        if (page) return page
      }
      return undefined
    },
  }
}

/** @throws {ProblemError} `route_not_found`, `method_not_allowed` */
export async function publicAnswer(page: FoundPage | undefined, request: Request): Promise<Response> {
  if (!page) throw noSuchRoute()
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(['GET', 'HEAD'])
  return page.answer(request)
}
