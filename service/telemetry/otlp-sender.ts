import { limits } from '../limits.ts'
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
}

/** `answer`: what the backend said, if it is short; it may be anything. */
export type Sent = { taken: true; answer: Uint8Array } | { taken: false; why: string }

/** Sends one export. Never throws, and is done when the time is over, whatever the backend does meanwhile. */
export type OtlpSender = (body: Uint8Array) => Promise<Sent>

/** OTLP/HTTP, "Retryable response codes". */
const retryableStatuses = [429, 502, 503, 504]

/**
 * OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
 *
 * Decision: our own sender, not that of OpenTelemetry's exporters. Theirs waits for a backend that keeps sending
 * bytes of an answer for as long as it likes (measured on Bun: no end at all); 30 such exports, and nothing is
 * exported any more until a restart. Revisit when theirs has a deadline for the whole of an export.
 */
export function createOtlpSender(destination: OtlpDestination): OtlpSender {
  const { url, headers, protocol, timeoutMilliseconds, ca } = destination
  const contentType = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf'
  const revealed = Object.entries(headers).map(([name, value]) => [name, value.reveal()])
  const options: RequestInit & BunFetchRequestInit = {
    method: 'POST',
    headers: { ...Object.fromEntries(revealed), 'content-type': contentType },
    // Credentials and audit lines go where they were told to go, and nowhere else.
    redirect: 'manual',
    ...(ca === undefined ? {} : { tls: { ca } }),
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
        // What would only be cut off is not begun.
        if (performance.now() + wait >= endsAt) return tried
        await Bun.sleep(wait)
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** `retryAfter`: milliseconds; `null` where it is no use to try again. */
type Attempt = Extract<Sent, { taken: true }> | { taken: false; why: string; retryAfter: number | null }

/** The body, or nothing where it is longer than any that we understand. */
async function readShort({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (size > limits.telemetryAnswerBytesMax) return new Uint8Array()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * How long to wait after try number `tries`: half of it certain, so that the tries reach to the end of the time and
 * a short outage costs nothing; half of it by chance, so that replicas do not come back together.
 */
function backOffMilliseconds(tries: number): number {
  const longest = Math.min(250 * 2 ** tries, 2000)
  return longest / 2 + (Math.random() * longest) / 2
}

function waitOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  // A date is legal too, and rare: it counts as no wait said.
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

/** The transport's own code, such as `ConnectionRefused`; a message could quote more than that. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'no answer'
}
