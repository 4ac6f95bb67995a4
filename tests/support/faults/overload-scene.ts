import { type Caller, callerOf } from '../service/caller.ts'
import { type InProcessService, serviceInProcess } from '../service/service-for-tests.ts'
import { knownCapabilities } from '../stores/known-capabilities.ts'
import { storeForTests } from '../stores/store.ts'
import { type CannedAnswer, startStoreProxy } from '../stores/strict-proxy.ts'

/** What the store was asked. */
export interface Asked {
  method: string
  path: string
  query: Record<string, string>
}

/** The service on the store of the run, with something in front that refuses. */
export interface Overload {
  service: InProcessService
  call: Caller
  /** Everything that the store was asked since the last `refuse` or `recover`. */
  asked: Asked[]
  /** From now on each request that `matches` is refused `times` times, and let through after that. */
  refuse(answer: CannedAnswer, times?: number, matches?: (asked: Asked) => boolean): void
  recover(): void
  /** How often the request that was repeated most was sent. */
  triesMax(): number
  /** All that the service has logged, as text. */
  logged(): string
  stop(): Promise<void>
}

/** Stands in pages of HTML and must stand nowhere else. */
export const marker = 'please-come-back-some-other-day'

/** Hetzner's way of saying it, and with a page that is no XML. */
export const tooManyRequests: CannedAnswer = {
  status: 429,
  contentType: 'text/html',
  body: `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>429</title></head><body>${marker}<br></body></html>`,
}

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
