/**
 * A load without anything in between: a client that asks the store itself for what the service would ask it, as a process of
 * its own. Reads its plan from BARE_PLAN, since signed addresses are credentials, and the addresses from the files that it
 * names. Prints how often it went through all of its steps, and in how many seconds.
 */

export interface BarePlan {
  steps: {
    method: 'GET' | 'PUT'
    /** File of addresses, a line each, taken in turn. */
    urls: string
    headers: Record<string, string>
    /** File whose bytes are sent; its first 32 are replaced, so that no two requests carry the same. */
    body?: string
  }[]
  /** Whether the steps are taken at the same time. */
  together: boolean
  connections: number
  seconds: number
}

if (import.meta.main) await run(JSON.parse(process.env.BARE_PLAN ?? ''))

async function run({ steps, together, connections, seconds }: BarePlan): Promise<void> {
  const prepared = await Promise.all(
    steps.map(async ({ urls, body, ...step }) => ({
      ...step,
      urls: (await Bun.file(urls).text()).split('\n'),
      body: body === undefined ? null : await Bun.file(body).bytes(),
    })),
  )
  let begun = 0
  let done = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - started < seconds * 1000) {
        const at = begun
        begun += 1
        const requests = prepared.map((step) => () => ask(step, at))
        if (together) await Promise.all(requests.map((request) => request()))
        else for (const request of requests) await request()
        done += 1
      }
    }),
  )
  process.stdout.write(`${done} ${(performance.now() - started) / 1000}\n`)
}

async function ask(
  {
    method,
    urls,
    headers,
    body,
  }: { method: string; urls: string[]; headers: Record<string, string>; body: Uint8Array | null },
  at: number,
): Promise<void> {
  const bytes = body && new Uint8Array(body)
  bytes?.set(new TextEncoder().encode(`${process.pid}-${at}`.padEnd(32)))
  const response = await fetch(urls[at % urls.length] ?? '', { method, headers, body: bytes })
  await response.bytes()
  if (!response.ok && response.status !== 304) throw new Error(`the store answered ${response.status}`)
}
