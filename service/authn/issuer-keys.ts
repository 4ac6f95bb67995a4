import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose'
import { readBounded } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { outboundOptions } from '../outbound.ts'

export interface KeyTimes {
  /** The published keys are read again after this long. */
  cacheSeconds: number
  /** While they cannot be read again, those read last are used for this much longer. */
  staleSeconds: number
  /** A token with an unknown key id makes us ask again, at most this often. */
  cooldownSeconds: number
  /** After a failure the issuer is left alone for this long. */
  retrySeconds: number
  timeoutSeconds: number
}

export type IssuerState = 'failing' | 'working'

/** What an operator has to know about the issuer. */
export interface KeyReports {
  /** The keys cannot be read any more, or can again. */
  turned(state: IssuerState, cause?: unknown): void
  /** A token is about to be verified by keys that should have been read again. */
  staleKeyUsed(): void
}

export type FetchKeys = (url: string, init: BunFetchRequestInit) => Promise<Response>

/** The issuer's keys could not be had; says nothing about the token. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable'
}

const defaultTimes: KeyTimes = {
  cacheSeconds: limits.jwksCacheSeconds,
  staleSeconds: limits.jwksStaleSecondsMax,
  cooldownSeconds: limits.jwksCooldownSeconds,
  retrySeconds: limits.jwksRetrySeconds,
  timeoutSeconds: limits.jwksTimeoutSeconds,
}

interface KeySource {
  jwksUrl: string
  fetch?: FetchKeys | undefined
  ca?: string | undefined
  proxy?: string | undefined
  keyTimes?: KeyTimes | undefined
  reports?: KeyReports | undefined
}

/**
 * Looks up the key that a token names in the set at `jwksUrl` (RFC 7517 section 5). The set is fetched at the
 * first token, kept, and fetched again when it is old or a token names a key that is not in it (rotation).
 * Redirects are not followed. While the issuer is out of reach the set that was read last is used for
 * `staleSeconds` more, without waiting for the issuer.
 *
 * @returns a function that throws {@link IssuerUnavailable}, or an error of jose that is about the token.
 */
export function keysOf(source: KeySource): JWTVerifyGetKey {
  const times = source.keyTimes ?? defaultTimes
  const published = createRemoteJWKSet(new URL(source.jwksUrl), {
    cacheMaxAge: (times.cacheSeconds + times.staleSeconds) * 1000,
    cooldownDuration: times.cooldownSeconds * 1000,
    timeoutDuration: times.timeoutSeconds * 1000,
    [customFetch]: fetchSparingly(source, times.retrySeconds),
  })
  let readAt = Number.NEGATIVE_INFINITY
  let state: IssuerState = 'working'

  function turn(next: IssuerState, cause?: unknown): void {
    if (state === next) return
    state = next
    source.reports?.turned(next, cause)
  }

  async function reload(): Promise<void> {
    try {
      await published.reload()
      readAt = performance.now()
      turn('working')
    } catch (cause) {
      turn('failing', cause)
    }
  }

  /** Returns once the set is as new as it can be had; afterwards `published` decides whether it is new enough. */
  async function refresh(): Promise<void> {
    if (performance.now() - readAt < times.cacheSeconds * 1000) return
    const reloaded = reload()
    // Only the first requests wait for an issuer that has fallen silent.
    if (state === 'working' || !published.fresh) await reloaded
    if (state === 'failing' && published.fresh) source.reports?.staleKeyUsed()
  }

  return async (header, token) => {
    await refresh()
    try {
      return await published(header, token)
    } catch (error) {
      throw isAboutToken(error) ? error : new IssuerUnavailable('no keys', { cause: error })
    }
  }
}

/** jose pauses after a good answer only: without this every request would queue for an issuer that is down. */
function fetchSparingly(
  { fetch: fetchKeys = fetch, ca, proxy }: KeySource,
  retrySeconds: number,
): FetchImplementation {
  let failure: { at: number; cause: unknown } | undefined
  return async (url, init) => {
    if (failure && performance.now() - failure.at < retrySeconds * 1000) throw failure.cause
    failure = undefined
    try {
      const response = await fetchKeys(url, {
        ...init,
        // Keys from anyone would be tokens from anyone.
        ...outboundOptions({ ca, proxy }),
      })
      return response.status === 200 ? await bounded(response) : await refuse(response)
    } catch (cause) {
      failure = { at: performance.now(), cause }
      throw cause
    }
  }
}

async function refuse(response: Response): Promise<never> {
  await response.body?.cancel()
  throw new Error(`the issuer answered ${response.status} for its keys`)
}

async function bounded(response: Response): Promise<Response> {
  const bytes = await readBounded(response.body, limits.jwksBytesMax)
  if (bytes === null) throw new Error(`the issuer sent more than ${limits.jwksBytesMax} bytes`)
  return new Response(bytes)
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
