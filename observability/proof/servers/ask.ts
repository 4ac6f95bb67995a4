import { connectionCause } from '../../../service/wire/connection-causes.ts'
import { directToLoopback } from '../../../service/wire/loopback.ts'

/** An HTTP answer, read to its end. */
export interface Answer {
  status: number
  text: string
}

/** A server, and the tenant whose data are asked for. */
export interface Target {
  /** Origin of its HTTP API. */
  url: string
  orgId?: string | undefined
}

export interface Question extends RequestInit {
  /** Tenant, sent as X-Scope-OrgID. */
  orgId?: string | undefined
  secondsMax?: number
}

const answerSecondsMax = 30

/** A server did not answer at all. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** An answer that should be a success and is not. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'

  constructor(
    url: string,
    readonly answer: Answer,
  ) {
    super(`${new URL(url).pathname} answered ${described(answer)}`)
  }
}

/**
 * Sends one HTTP request to Loki or Tempo.
 *
 * @throws {NoAnswer} if there is none in time.
 */
export async function ask(url: string, { orgId, secondsMax, ...init }: Question = {}): Promise<Answer> {
  // Docker's setting `proxies` names one in containers, and servers with plain http are in their own network.
  const direct = url.startsWith('http:') ? ({ proxy: false } as const) : directToLoopback(url)
  const headers = new Headers(init.headers)
  if (orgId !== undefined) headers.set('X-Scope-OrgID', orgId)
  const signal = AbortSignal.timeout((secondsMax ?? answerSecondsMax) * 1000)
  try {
    const response = await fetch(url, { ...direct, ...init, headers, signal })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    const { code, message = String(error) } = (error ?? {}) as { code?: unknown; message?: string }
    const why = (typeof code === 'string' && connectionCause(code)) || message
    const { origin, pathname } = new URL(url)
    throw new NoAnswer(`${origin} does not answer ${pathname}: ${why}`)
  }
}

/**
 * Asks a question that changes nothing, and up to twice more if the answer is a failure of the server (5xx): a store that
 * is slow for a moment is no finding about where its objects lie.
 *
 * @throws {NoAnswer}
 */
export async function askPatiently(url: string, question: Question = {}): Promise<Answer> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask(url, question)
    if (answer.status < 500 || asked === questionsMax) return answer
    await Bun.sleep(askAgainSeconds * 1000)
  }
}

const questionsMax = 3
const askAgainSeconds = 2

/** Asks a question that changes nothing, and has to succeed, as {@link askPatiently} does. @throws {NoAnswer} @throws {UnexpectedAnswer} unless it is a 2xx. */
export async function askSuccessfully(url: string, question: Question = {}): Promise<Answer> {
  const answer = await askPatiently(url, question)
  if (!isSuccess(answer)) throw new UnexpectedAnswer(url, answer)
  return answer
}

/** Asks a question that changes nothing, and returns the JSON of its answer. @throws as {@link askSuccessfully} does. */
export async function askJson<T>(url: string, question: Question = {}): Promise<T> {
  return JSON.parse((await askSuccessfully(url, question)).text) as T
}

/**
 * Has Loki or Tempo write everything in memory to the store, as chunks or blocks. It answers when they are there, or at
 * once if they cannot be.
 */
export function flush({ url, orgId }: Target): Promise<Answer> {
  return ask(`${url}/flush`, { method: 'POST', orgId })
}

/**
 * Returns in words what came of a request whose effect shows elsewhere: a flush may take longer than the time limit of
 * its answer.
 */
export async function outcomeOf(answer: Promise<Answer>): Promise<string> {
  try {
    return described(await answer)
  } catch (error) {
    if (error instanceof NoAnswer) return error.message
    throw error
  }
}

/** Returns whether the status is a 2xx. */
export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

/** Returns the status and the first line of the text: `204`, `500 failed to …`. */
export function described({ status, text }: Answer): string {
  const line = text.trim().split('\n')[0]?.slice(0, 200) ?? ''
  return line === '' ? String(status) : `${status} ${line}`
}
