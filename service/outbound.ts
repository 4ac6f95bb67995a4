/** A server that the service calls by https, and how it is reached. */
export interface OutboundServer {
  /** PEM certificates of a private authority, trusted instead of the public ones. */
  ca?: string | undefined
  /** URL of a proxy that tunnels to it; none by default, whatever the environment names. */
  proxy?: string | undefined
}

/**
 * Returns the options of `fetch` for every call that carries credentials, or an answer that is trusted: store, issuer,
 * exporter, audit. It goes nowhere but to the configured address: no redirect is followed, a proxy is used only if the
 * configuration says so, and certificates are checked even under `NODE_TLS_REJECT_UNAUTHORIZED=0`.
 */
export function outboundOptions({ ca, proxy }: OutboundServer): RequestInit & BunFetchRequestInit {
  return {
    redirect: 'manual',
    proxy: proxy ?? false,
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
  }
}
