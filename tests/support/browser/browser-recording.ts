import type { BrowserContext, ConsoleMessage, Request, Response } from 'playwright-core'

/** One exchange of a page or of a worker of it. */
export interface SeenExchange {
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  /** What was sent, where it is no file. */
  body: string | null
  /** Absent while there is no answer. */
  status?: number
  answerHeaders?: Readonly<Record<string, string>>
  /** Of an answer that is text, where Chromium has kept it: it does not keep all that a page reads as a stream. */
  answerBody?: string
  /** Why there is none, in Chromium's words. */
  failure?: string
}

/** What the windows of a browser did, in order. */
export interface Recording {
  exchanges: SeenExchange[]
  /** Uncaught errors, and what was written to the console as an error, except statuses of answers. */
  complaints: string[]
  /** Resolves when all answers so far are recorded, except those that a page does not read to their end. */
  settled(): Promise<void>
}

/** Larger answers are documents; a name that says what is meant needs no more. */
const answerBytesMax = 4 * 1024 * 1024
const settledMillisecondsMax = 3000
const textual = /^(text\/|application\/(json|problem\+json|xml|javascript|jwk-set\+json))/

interface Pending extends Recording {
  pending: Set<Promise<void>>
}

export function startRecording(): Recording {
  const pending = new Set<Promise<void>>()
  const recording: Pending = {
    exchanges: [],
    complaints: [],
    pending,
    async settled() {
      const deadline = Bun.sleep(settledMillisecondsMax)
      await Promise.race([Promise.all(pending), deadline])
    },
  }
  return recording
}

/** Adds to the recording whatever the context's pages, their pop-ups and their workers do from now on. */
export function record(context: BrowserContext, recording: Recording): void {
  const { exchanges, complaints, pending } = recording as Pending
  const known = new Map<Request, SeenExchange>()
  const soon = (work: Promise<void>) => {
    // A window that closes takes what was not read yet with it.
    const done = work.catch(() => {}).finally(() => pending.delete(done))
    pending.add(done)
  }
  context.on('request', (request) => {
    const exchange = asked(request)
    known.set(request, exchange)
    exchanges.push(exchange)
    soon(request.allHeaders().then((headers) => void Object.assign(exchange, { headers })))
  })
  context.on('response', (response) => {
    const exchange = known.get(response.request())
    if (exchange !== undefined) soon(readAnswer(response, exchange))
  })
  context.on('requestfailed', (request) => {
    const exchange = known.get(request)
    if (exchange !== undefined) exchange.failure = request.failure()?.errorText ?? 'unknown'
  })
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error().message}`))
  context.on('console', (message) => {
    if (isComplaint(message)) complaints.push(`${message.text()} (${message.location().url})`)
  })
}

function asked(request: Request): SeenExchange {
  return {
    method: request.method(),
    url: request.url(),
    headers: request.headers(),
    body: request.postData(),
  }
}

async function readAnswer(response: Response, exchange: SeenExchange): Promise<void> {
  exchange.status = response.status()
  exchange.answerHeaders = await response.allHeaders()
  const { 'content-type': type = '', 'content-length': length = '0' } = exchange.answerHeaders
  if (!textual.test(type) || Number(length) > answerBytesMax) return
  exchange.answerBody = (await response.body()).toString('utf8')
}

/** Chromium writes every 4xx and 5xx to the console: those are in the exchanges, where tests look for them. */
function isComplaint(message: ConsoleMessage): boolean {
  return message.type() === 'error' && !message.text().startsWith('Failed to load resource')
}
