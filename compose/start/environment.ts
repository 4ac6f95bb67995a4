import { UsageError } from '../../service/cli/command.ts'
import type { LocalIssuer } from '../../service/cli/local-issuer/issuer.ts'
import type { Environment } from '../../service/config/parse.ts'

/** Variables that a local store sets itself. */
const decidedByStore = /^S3_(?!CONNECTIONS_MAX$)/
const decidedByIssuer = /^AUTH_/

/** What `start` takes from its own environment, checked. */
export interface StartSettings {
  port: number
  bucket: string
  prefix: string
}

/**
 * Reads `PORT` (default 8080), `S3_BUCKET_DOCS` (`cloudlysis-docs`) and `S3_PREFIX_DOCS` (`docs/`). The
 * service checks the last two itself.
 *
 * @throws {UsageError} if `PORT` is not a port.
 */
export function readSettings(env: Environment): StartSettings {
  const port = Number(env.PORT ?? 8080)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`PORT is a whole number from 1 to 65535, not ${JSON.stringify(env.PORT)}`)
  }
  return { port, bucket: env.S3_BUCKET_DOCS ?? 'cloudlysis-docs', prefix: env.S3_PREFIX_DOCS ?? 'docs/' }
}

/** Returns the user's variables that `start` replaces, to report them; with S3_ENDPOINT, those of the store are kept. */
export function replacedVariables(env: Environment): string[] {
  const kept = ['S3_BUCKET_DOCS', 'S3_PREFIX_DOCS']
  const names = Object.keys(env).filter((name) => !kept.includes(name) && env[name] !== undefined)
  const ofStore = env.S3_ENDPOINT === undefined ? names.filter((name) => decidedByStore.test(name)) : []
  return [...ofStore, ...names.filter((name) => decidedByIssuer.test(name))].sort()
}

/**
 * Returns the whole environment of the service (ARCHITECTURE.md, "Configuration"): the user's, with the store and the
 * issuer of `start`.
 */
export function serviceEnvironment(
  env: Environment,
  port: number,
  store: Environment,
  issuer: LocalIssuer,
): Record<string, string> {
  const own = Object.entries(env).filter(
    ([name]) => !decidedByStore.test(name) && !decidedByIssuer.test(name),
  )
  const all = {
    ...Object.fromEntries(own),
    ...store,
    AUTH_ISSUER: issuer.issuer,
    AUTH_AUDIENCE: issuer.audience,
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_CLIENT_ID: issuer.clientId,
    HOST: env.HOST ?? '127.0.0.1',
    PORT: String(port),
  }
  const set = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return Object.fromEntries(set)
}
