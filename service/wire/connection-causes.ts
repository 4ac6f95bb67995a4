const untrusted = 'its certificate comes from an authority that is not trusted here'

/** By the codes of OpenSSL (X509_STORE_CTX_get_error(3)), of Node.js ("Common system errors") and of Bun. */
const causes: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other host names',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  EPROTO: 'it does not speak TLS on that port',
  ECONNREFUSED: 'nothing listens on that port',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ERR_PROXY_TUNNEL: 'the proxy refused to open a tunnel to it',
  TimedOut: 'it did not answer in time',
  TimeoutError: 'it did not answer in time',
}

/**
 * Returns why a server could not be reached, as the rest of a sentence about it.
 *
 * @param code of the runtime's error, such as `ECONNREFUSED`.
 * @returns `undefined` for codes that say nothing about the connection.
 */
export function connectionCause(code: string): string | undefined {
  return Object.hasOwn(causes, code) ? causes[code] : undefined
}

/** Returns a code of the runtime together with what it means, where that is known: `ECONNREFUSED: nothing listens …`. */
export function withCause(code: string): string {
  const cause = connectionCause(code)
  return cause === undefined ? code : `${code}: ${cause}`
}
