/** An HTTP answer, read to its end. */
export interface Answer {
  status: number
  text: string
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

/** An answer that has to be a good one and is not. */
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
 * One HTTP request to Loki or Tempo.
 *
 * @throws {NoAnswer} if there is none in time.
 */
export async function ask(url: string, { orgId, secondsMax, ...init }: Question = {}): Promise<Answer> {
  const headers = new Headers(init.headers)
  if (orgId !== undefined) headers.set('X-Scope-OrgID', orgId)
  const signal = AbortSignal.timeout((secondsMax ?? answerSecondsMax) * 1000)
  try {
    const response = await fetch(url, { ...init, headers, signal })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const { origin, pathname } = new URL(url)
    throw new NoAnswer(`${origin} does not answer ${pathname}: ${why}`)
  }
}

/** The same where anything but a 2xx is a failure. @throws {UnexpectedAnswer} for the others. */
export async function askSuccessfully(url: string, question: Question = {}): Promise<Answer> {
  const answer = await ask(url, question)
  if (!isSuccess(answer)) throw new UnexpectedAnswer(url, answer)
  return answer
}

/** The JSON of a good answer. */
export async function askJson<T>(url: string, question: Question = {}): Promise<T> {
  return JSON.parse((await askSuccessfully(url, question)).text) as T
}

/**
 * What came of a request whose effect is looked for elsewhere, in words: a flush may go on for longer than an answer
 * is waited for.
 */
export async function outcomeOf(answer: Promise<Answer>): Promise<string> {
  try {
    return described(await answer)
  } catch (error) {
    if (error instanceof NoAnswer) return error.message
    throw error
  }
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

/** `204`, `500 failed to …`: the status and the first line of what was said with it. */
export function described({ status, text }: Answer): string {
  const line = text.trim().split('\n')[0]?.slice(0, 200) ?? ''
  return line === '' ? String(status) : `${status} ${line}`
}
