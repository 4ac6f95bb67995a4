/** What the typed client sends to a store and reads from it in a browser, and nothing more (README.md, "Browsers"). */
export const browserAccess = {
  /** Name of the CORS rule. */
  id: 'control-ui',
  methods: ['GET', 'HEAD', 'PUT', 'POST'],
  /** A ticket's PUT has these; a form, and a download, need none that a browser would ask for. */
  headers: ['content-type', 'x-amz-checksum-sha256'],
  exposed: ['ETag', 'Retry-After'],
  /** A browser may rely on the answer for this long: an upload asks once, and a changed rule soon holds. */
  seconds: 600,
} as const
