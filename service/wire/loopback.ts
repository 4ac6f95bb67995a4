/**
 * Tells whether a URL leads to this machine itself and no further: `localhost` (RFC 6761 section 6.3), 127.0.0.0/8
 * (RFC 1122 section 3.2.1.3), also mapped into IPv6, or `::1`. No name is resolved.
 */
export function isLoopback({ hostname }: Pick<URL, 'hostname'>): boolean {
  return loopbackForm.test(hostname)
}

/** On hosts as the parser of URLs writes them: lower case, addresses normalised, IPv6 in brackets. */
const loopbackForm = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/

/**
 * Returns the options with which `fetch` of Bun sends a request to loopback directly. Without them it goes to the proxy
 * that `HTTP_PROXY` names, unless `NO_PROXY` names the address: a token or a document would leave this machine, and
 * nothing there can reach it. Other hosts are left to the runtime and its environment; so are other runtimes.
 */
export function directToLoopback(url: string | URL): { proxy?: false } {
  return isLoopback(new URL(url)) ? { proxy: false } : {}
}
