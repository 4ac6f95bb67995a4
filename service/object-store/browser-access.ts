/** The least that a store's CORS rule must allow for the typed client in a browser (README.md, "Browsers"). */
export const browserAccess = {
  /** Name of the CORS rule. */
  id: 'control-ui',
  methods: ['GET', 'HEAD', 'PUT', 'POST'],
  /** Headers of a ticket's PUT; forms and downloads need none that a browser would ask for. */
  headers: ['content-type', 'x-amz-checksum-sha256'],
  exposed: ['ETag', 'Retry-After'],
  /** How long a browser may cache the answer: an upload asks once, and a changed rule takes effect soon. */
  seconds: 600,
} as const
