/**
 * Tells whether a URL leads to this machine itself and no further: what browsers call potentially trustworthy without TLS
 * (W3C Secure Contexts section 3.1), names by RFC 6761 section 6.3. No name is resolved.
 */
export function isLoopback({ hostname }: Pick<URL, 'hostname'>): boolean {
  // The parser of URLs has normalised it: lower case, addresses in their usual form, IPv6 in brackets.
  return /^(([^.]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/**
 * Returns the options with which `fetch` of Bun sends a request to loopback directly. Without them it goes to the proxy
 * that `HTTP_PROXY` names, unless `NO_PROXY` names the address: a token or a document would leave this machine, and
 * nothing there can reach it. Other hosts are left to the runtime and its environment; so are other runtimes.
 */
export function directToLoopback(url: string | URL): { proxy?: false } {
  return isLoopback(new URL(url)) ? { proxy: false } : {}
}
