/** What anyone may read, by GET and HEAD alike. */
export interface PublicPage {
  /** As Elysia writes addresses: with `:parameter` segments, or a `*` at the end. */
  path: string
  /** What logs, traces and metrics call the address; default: `path`. */
  route?: string
  /** @param pathname of the request's URL. */
  answer(request: Request, pathname: string): Response | Promise<Response>
}
