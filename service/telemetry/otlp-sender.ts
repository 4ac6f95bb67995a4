import { readBounded } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { outboundOptions } from '../outbound.ts'
import type { Secret } from './secret.ts'

export interface OtlpDestination {
  /** The whole URL, path included. */
  url: string
  headers: Readonly<Record<string, Secret>>
  protocol: 'http/json' | 'http/protobuf'
  /** For all tries of one export together. */
  timeoutMilliseconds: number
  /** PEM certificates, in place of the system's. */
  ca?: string | undefined
  /** URL of a proxy that tunnels to `url`; none by default, whatever the environment names. */
  proxy?: Secret | undefined
}

/** `answer`: the body of the backend's answer if it is short; its content is not checked. */
export type Sent = { taken: true; answer: Uint8Array } | { taken: false; why: string }

/** Sends one export. Never throws, and ends when its time is over, whatever the backend does. */
export type OtlpSender = (body: Uint8Array) => Promise<Sent>

/** OTLP/HTTP, "Retryable response codes". */
const retryableStatuses = [429, 502, 503, 504]

/**
 * Creates a sender of OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Decision: our own sender instead of OpenTelemetry's exporters, because those have no deadline for a whole export (a
 * backend that trickles its answer blocks them indefinitely, measured on Bun, and after 30 such exports nothing is
 * exported until a restart) and do not say how many items of a batch were rejected. Revisit when they do both.
 */
export function createOtlpSender(destination: OtlpDestination): OtlpSender {
  const { url, headers, protocol, timeoutMilliseconds, ca, proxy } = destination
  const contentType = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf'
  const revealed = Object.entries(headers).map(([name, value]) => [name, value.reveal()])
  const options: RequestInit & BunFetchRequestInit = {
    method: 'POST',
    headers: { ...Object.fromEntries(revealed), 'content-type': contentType },
    ...outboundOptions({ ca, proxy: proxy?.reveal() }),
  }

  async function attempt(body: Uint8Array, signal: AbortSignal): Promise<Attempt> {
    try {
      const response = await fetch(url, { ...options, body: body as BodyInit, signal })
      const { status } = response
      const answer = await readShort(response)
      if (status >= 200 && status < 300) return { taken: true, answer }
      const retryAfter = retryableStatuses.includes(status) ? waitOf(response) : null
      return { taken: false, why: `status ${status}`, retryAfter }
    } catch (error) {
      if (signal.aborted) return { taken: false, why: 'timeout', retryAfter: null }
      return { taken: false, why: codeOf(error), retryAfter: 0 }
    }
  }

  return async (body) => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMilliseconds)
    const endsAt = performance.now() + timeoutMilliseconds
    try {
      for (let tries = 1; ; tries += 1) {
        const tried = await attempt(body, late.signal)
        if (tried.taken) return tried
        if (tried.retryAfter === null || tries >= limits.telemetryAttemptsMax) return tried
        const wait = tried.retryAfter + backOffMilliseconds(tries)
        // A try that would only be cut off is not started.
        if (performance.now() + wait >= endsAt) return tried
        await Bun.sleep(wait)
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** `retryAfter`: milliseconds; `null` if another try cannot help. */
type Attempt = Extract<Sent, { taken: true }> | { taken: false; why: string; retryAfter: number | null }

/** Reads the body; returns no bytes if it is longer than any answer of OTLP. */
async function readShort({ body }: Response): Promise<Uint8Array> {
  return (await readBounded(body, limits.telemetryAnswerBytesMax)) ?? new Uint8Array()
}

/**
 * Returns the wait after try number `tries`: half of it fixed, so that the tries span the whole time and a short
 * outage costs nothing; half of it random, so that replicas do not return together.
 */
function backOffMilliseconds(tries: number): number {
  const longest = Math.min(250 * 2 ** tries, 2000)
  return longest / 2 + (Math.random() * longest) / 2
}

function waitOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  // A date is legal too, and rare: it counts as no wait.
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

/** Returns the transport's own code, such as `ConnectionRefused`; a message could quote more than that. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'no answer'
}
