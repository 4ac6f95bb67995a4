/**
 * Runs in a container inside the stack's network: mixed requests through the proxy until it receives SIGTERM and has sent
 * enough of them. Nothing is tried twice. It prints a line `answered <n>` for every hundredth answer and, as the last line,
 * one JSON object, a {@link LoadReport}.
 *
 * `LOAD_URL` is the service, `LOAD_TOKEN_FILE` holds a token, `LOAD_REQUESTS_MIN` says how many it must send.
 */
import { readFileSync } from 'node:fs'

export interface LoadReport {
  /** Requests that were answered, rightly or not, and those that were not. */
  requests: number
  byKind: Record<string, number>
  /** What was wrong, up to {@link failuresShownMax} of them. */
  failures: string[]
  failed: number
  /** Unix milliseconds of the first request and of the last answer. */
  began: number
  ended: number
}

const failuresShownMax = 20
/** As many ask at once. */
const clients = 8
/** All of them: enough to meet every moment of an update, and the machine has other things to do. */
const requestsPerSecondMax = 110
const answersPerLine = 100
const answerMillisecondsMax = 30_000

interface Stored {
  name: string
  digest: string
}

const url = `${Bun.env.LOAD_URL}/v1/tenants/acme/documents`
const token = () => readFileSync(Bun.env.LOAD_TOKEN_FILE ?? '', 'utf8').trim()
const report: LoadReport = { requests: 0, byKind: {}, failures: [], failed: 0, began: Date.now(), ended: 0 }
/** What was answered with 201 and has to be there from then on. */
const stored: Stored[] = []
let answered = 0
let told = false
process.on('SIGTERM', () => {
  told = true
})
const isDone = () => told && report.requests >= Number(Bun.env.LOAD_REQUESTS_MIN)

/** One request, counted; `check` says what is wrong with its answer. */
async function ask(
  kind: string,
  path: string,
  init: RequestInit,
  check: (response: Response) => Promise<string | null>,
): Promise<boolean> {
  const due = report.began + (report.requests++ * 1000) / requestsPerSecondMax
  await Bun.sleep(Math.max(0, due - Date.now()))
  report.byKind[kind] = (report.byKind[kind] ?? 0) + 1
  const wrong = await request(path, init, check).catch((error: unknown) => String(error))
  answered++
  if (answered % answersPerLine === 0) process.stdout.write(`answered ${answered}\n`)
  if (wrong === null) return true
  report.failed++
  const line = `${new Date().toISOString()} ${kind}: ${wrong}`
  if (report.failures.length < failuresShownMax) report.failures.push(line)
  return false
}

async function request(
  path: string,
  init: RequestInit,
  check: (response: Response) => Promise<string | null>,
): Promise<string | null> {
  const headers = { authorization: `Bearer ${token()}`, ...(init.headers as Record<string, string>) }
  const signal = AbortSignal.timeout(answerMillisecondsMax)
  return check(await fetch(`${url}${path}`, { ...init, headers, signal }))
}

async function upload(client: number, nth: number): Promise<void> {
  const bytes = crypto.getRandomValues(new Uint8Array(1 + ((nth * 977) % 16_000)))
  const one = { name: `load-${client}-${nth}`, digest: digestOf(bytes) }
  const done = await ask(
    'put',
    `/snapshots/${one.name}`,
    { method: 'PUT', body: bytes },
    async (response) => {
      const { digest } = (await response.json()) as { digest?: string }
      return response.status === 201 && digest === one.digest ? null : `${response.status} ${digest}`
    },
  )
  if (done) stored.push(one)
}

/** Reads something that was stored, by its digest or by a tag, and hashes it. */
async function read({ name, digest }: Stored, by: 'digest' | 'tag'): Promise<void> {
  const path = by === 'digest' ? `/snapshots/${name}/versions/${digest}` : `/snapshots/${name}?tag=latest`
  await ask(`get by ${by}`, path, {}, async (response) => {
    const found = digestOf(await response.bytes())
    return response.status === 200 && found === digest ? null : `${response.status} ${found}`
  })
}

async function head({ name, digest }: Stored): Promise<void> {
  await ask(
    'head',
    `/snapshots/${name}/versions/${digest}`,
    { method: 'HEAD' },
    async ({ status, headers }) =>
      status === 200 && headers.get('etag') === `"${digest}"` ? null : `${status} ${headers.get('etag')}`,
  )
}

async function list({ name, digest }: Stored): Promise<void> {
  await ask('list', `?type=snapshots&name=${name}`, {}, async (response) => {
    const { documents } = (await response.json()) as { documents?: { digest: string }[] }
    return documents?.some((one) => one.digest === digest) ? null : `${response.status} without ${name}`
  })
}

async function tag({ name, digest }: Stored): Promise<void> {
  const body = JSON.stringify({ digest })
  const headers = { 'content-type': 'application/json' }
  await ask(
    'tag',
    `/snapshots/${name}/tags/production`,
    { method: 'PUT', body, headers },
    async (response) => {
      await response.bytes()
      return [200, 201].includes(response.status) ? null : String(response.status)
    },
  )
}

async function work(client: number): Promise<void> {
  for (let nth = 0; !isDone(); nth++) {
    await upload(client, nth)
    const one = stored[Math.floor(Math.random() * stored.length)]
    if (one === undefined) continue
    await read(one, 'digest')
    await read(one, 'tag')
    await head(one)
    await list(one)
    if (nth % 4 === 0) await tag(one)
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`
}

await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
// Reads everything once more that was reported as stored.
for (const one of stored) await read(one, 'digest')
report.ended = Date.now()
process.stdout.write(`${JSON.stringify(report)}\n`)
