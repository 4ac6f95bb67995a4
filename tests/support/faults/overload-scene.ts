import { type Caller, callerOf } from '../service/caller.ts'
import { type InProcessService, serviceInProcess } from '../service/service-for-tests.ts'
import { knownCapabilities } from '../stores/known-capabilities.ts'
import { storeForTests } from '../stores/store.ts'
import { type CannedAnswer, startStoreProxy } from '../stores/strict-proxy.ts'
import { until } from '../waiting.ts'

/** A request that the store received. */
export interface Asked {
  method: string
  path: string
  query: Record<string, string>
}

/** The service on the store of the run, with something in front that refuses. */
export interface Overload {
  service: InProcessService
  call: Caller
  /** All requests since the last `refuse` or `recover`. */
  asked: Asked[]
  /** From now on each request that `matches` is refused `times` times, and let through after that. */
  refuse(answer: CannedAnswer, times?: number, matches?: (asked: Asked) => boolean): void
  recover(): void
  /** How often the request that was repeated most was sent. */
  triesMax(): number
  /** The log of the service, as text. */
  logged(): string
  stop(): Promise<void>
}

/** Part of pages of HTML, and must not appear anywhere else. */
export const marker = 'please-come-back-some-other-day'

/** The answer of Hetzner under overload: a page of HTML instead of XML. */
export const tooManyRequests: CannedAnswer = {
  status: 429,
  contentType: 'text/html',
  body: `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>429</title></head><body>${marker}<br></body></html>`,
}

/** Starts the service on the store of the run, behind a proxy that can refuse. The caller stops it. */
export async function startOverload(): Promise<Overload> {
  const asked: Asked[] = []
  let refusing: { answer: CannedAnswer; times: number; matches: (asked: Asked) => boolean } | null = null
  const triesOf = (request: Asked) => asked.filter((other) => lineOf(other) === lineOf(request)).length
  const real = await storeForTests()
  const proxy = await startStoreProxy(real, {
    answer(request) {
      asked.push(request)
      const refused = refusing?.matches(request) && triesOf(request) <= refusing.times
      return refused ? (refusing?.answer ?? null) : null
    },
  })
  const service = await serviceInProcess({ store: proxy, capabilities: knownCapabilities(real.kind) })
  // The service sweeps once it has started. Its last calls are the two listings of unfinished uploads.
  await until(() => asked.filter(({ query }) => 'uploads' in query).length === 2)
  return {
    service,
    call: await callerOf(service),
    asked,
    refuse(answer, times = Number.POSITIVE_INFINITY, matches = () => true) {
      asked.length = 0
      refusing = { answer, times, matches }
    },
    recover() {
      asked.length = 0
      refusing = null
    },
    triesMax: () => Math.max(...asked.map(triesOf)),
    logged: () => JSON.stringify(service.logs()),
    async stop() {
      await service.stop()
      await proxy.stop()
    },
  }
}

function lineOf({ method, path, query }: Asked): string {
  return `${method} ${path} ${JSON.stringify(query)}`
}
