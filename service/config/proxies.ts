import { Secret } from '../telemetry/secret.ts'
import { isLoopback } from '../wire/loopback.ts'
import type { Environment, Problem } from './parse.ts'

/** Whose calls `PROXY_FOR` can send through a proxy. */
export type Proxied = 'store' | 'issuer' | 'exporter'

/** Where the proxy may stand, the first that is set counts: as curl and Go read them for https. */
const proxyNames = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'] as const

/** What decides about proxies; `NO_PROXY` is read by the runtime, at every call. */
export const proxyVariables = ['PROXY_FOR', ...proxyNames] as const

/** Returns the URL of the proxy for calls of `who` to `url`; `undefined` where they go directly. */
export type ProxyFor = (who: Proxied, url: string | undefined) => Secret | undefined

/**
 * Decides which calls go through the proxy that the environment names: those that `choice` lists, to https URLs that
 * lead away from this machine. Those are tunnelled (RFC 9110 section 9.3.6), so that the proxy learns host and port and
 * nothing else. Plain http goes directly: it is for this machine and its private network, and a proxy could read it.
 *
 * @param choice the value of `PROXY_FOR`, `undefined` where that has a problem.
 */
export function proxiesIn(
  choice: string | undefined,
  env: Environment,
): { proxyFor: ProxyFor; problems: Problem[] } {
  const chosen = choice === undefined || choice === 'none' ? [] : choice.split(',')
  const name = proxyNames.find((name) => (env[name] ?? '') !== '')
  const proxy = new Secret(env[name ?? ''] ?? '')
  return {
    proxyFor: (who, url) => (chosen.includes(who) && url && leavesEncrypted(url) ? proxy : undefined),
    problems: chosen.length === 0 ? [] : proxyProblems(name, proxy),
  }
}

function proxyProblems(variable: string | undefined, proxy: Secret): Problem[] {
  if (variable === undefined) {
    return [{ variable: 'PROXY_FOR', problem: 'names calls, but neither HTTPS_PROXY nor ALL_PROXY is set' }]
  }
  const url = URL.parse(proxy.reveal())
  if (url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !/[?#]/.test(url.href)) return []
  return [{ variable, problem: 'must be http(s)://[user:password@]host:port, since PROXY_FOR uses it' }]
}

function leavesEncrypted(url: string): boolean {
  return new URL(url).protocol === 'https:' && !isLoopback(new URL(url))
}

/** Returns the names of proxies that are set and have no effect, so that an operator learns why nothing goes there. */
export function ignoredProxies(choice: string | undefined, env: Environment): string[] {
  const used = choice === undefined || choice === 'none' ? [] : proxyNames
  const names = ['HTTP_PROXY', 'http_proxy', ...proxyNames]
  return names.filter((name) => (env[name] ?? '') !== '' && !used.some((each) => each === name))
}
