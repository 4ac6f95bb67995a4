import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { freePort } from '../../../compose/servers/free-port.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { limits } from '../../../service/limits.ts'
import { createOtlpSender } from '../../../service/telemetry/otlp-sender.ts'
import { type Caller, callerOf } from '../../support/service/caller.ts'
import type { Behaviour } from '../../support/service/otlp-receiver.ts'
import { startTelemetryScene, type TelemetryScene } from '../../support/service/telemetry-scene.ts'
import { eventually, until } from '../../support/waiting.ts'

const never: Behaviour = () => new Promise(() => {})

/** Longer than any test here may take: a request that waited for an export would fail its test. */
const env = { OTEL_EXPORTER_OTLP_TIMEOUT: '60000' }

let scene: TelemetryScene
let anyone: Caller

/** Requests that are answered without the store, with a log line and a span each. */
async function requests(count: number): Promise<void> {
  const statuses = await Promise.all(
    Array.from({ length: count }, async () => {
      const response = await anyone('bundles/x')
      await response.text()
      return response.status
    }),
  )
  expect(statuses.filter((status) => status !== 401)).toEqual([])
}

function logged(event: string) {
  return scene.service.logs().filter((line) => line.event === event)
}

async function droppedOf(signal: string, reason: string): Promise<number> {
  return (await scene.metric(`telemetry_dropped_total{signal="${signal}",reason="${reason}"}`)) ?? Number.NaN
}

describe('a backend that takes everything and says nothing', () => {
  beforeAll(async () => {
    scene = await startTelemetryScene({ env, behaviour: never })
    anyone = await callerOf(scene.service, null)
  }, 600_000)
  afterAll(() => scene.stop())

  it('keeps no request waiting, however many there are', async () => {
    const rounds = Math.ceil(limits.telemetryItemsMax / 200) + 2
    for (let round = 0; round < rounds; round += 1) await requests(200)
    expect(await scene.metric('http_server_active_requests')).toBe(0)
  })

  it('makes the service keep a bounded number of items, and count the rest as dropped', async () => {
    const printed = scene.service.logs().length
    expect(printed).toBeGreaterThan(limits.telemetryItemsMax)
    const dropped = () => droppedOf('logs', 'queue_full')
    expect(await dropped()).toBeGreaterThan(0)
    // The last refusals are counted in a line of the audit up to a second later.
    await eventually(async () => scene.service.logs().length - (await dropped()), limits.telemetryItemsMax)
    expect(await scene.metric('telemetry_exported_total{signal="logs"}')).toBe(0)
  })

  it('lets the service stop, which logs what it could not send', async () => {
    scene.service.signal('SIGINT')
    expect(await scene.service.process.exited).toBe(0)
    const [unsent] = logged('telemetry.unsent')
    expect(Number(unsent?.items)).toBeGreaterThanOrEqual(limits.telemetryItemsMax)
  })
})

describe('a backend that is in trouble', () => {
  beforeEach(async () => {
    scene = await startTelemetryScene({ env: { OTEL_EXPORTER_OTLP_TIMEOUT: '300' } })
    anyone = await callerOf(scene.service, null)
  }, 600_000)
  afterEach(() => scene.stop())

  it('is logged once when it begins and once when it is over, and lost items are counted', async () => {
    scene.backend.behave(() => new Response('no', { status: 500 }))
    await requests(3)
    await until(async () => (await droppedOf('traces', 'export_failed')) >= 3)
    await requests(3)
    await until(async () => (await droppedOf('traces', 'export_failed')) >= 6)
    scene.backend.behave(() => Response.json({}))
    await requests(3)
    await until(() => logged('telemetry.working').length === 2)
    for (const event of ['telemetry.failing', 'telemetry.working']) {
      expect(
        logged(event)
          .map(({ signal }) => signal)
          .sort(),
      ).toEqual(['logs', 'traces'])
    }
    expect(logged('telemetry.failing').map(({ level, why }) => [level, why])).toEqual([
      ['warn', 'status 500'],
      ['warn', 'status 500'],
    ])
  })

  it('may take a part, and the rejected items are counted', async () => {
    scene.backend.behave((request) =>
      Response.json({ partialSuccess: request.url.endsWith('/v1/logs') ? { rejectedLogRecords: '1' } : {} }),
    )
    await requests(3)
    await until(async () => (await droppedOf('logs', 'rejected')) >= 1)
    expect(await droppedOf('traces', 'rejected')).toBe(0)
  })

  it('may answer nonsense, and the next exports still work', async () => {
    scene.backend.behave(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }))
    await requests(3)
    const exported = () => scene.metric('telemetry_exported_total{signal="traces"}')
    await until(async () => ((await exported()) ?? 0) >= 3)
    await requests(3)
    await until(async () => ((await exported()) ?? 0) >= 6)
  })
})

describe('a backend that is not there', () => {
  it('prevents the service neither from starting, nor from answering requests, nor from stopping', async () => {
    const unreachable = `http://127.0.0.1:${await freePort()}`
    scene = await startTelemetryScene({ env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: unreachable } })
    anyone = await callerOf(scene.service, null)
    await requests(20)
    scene.service.signal('SIGINT')
    expect(await scene.service.process.exited).toBe(0)
    await scene.stop()
  }, 600_000)
})

describe('a backend behind a private authority', () => {
  it('is trusted only with the configured certificate', async () => {
    const { certificate, privateKey, ca } = await makeServerTls()
    const received: string[] = []
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert: certificate, key: privateKey },
      async fetch(request) {
        received.push(await request.text())
        return Response.json({})
      },
    })
    const destination = {
      url: new URL('/v1/logs', server.url).href,
      headers: {},
      protocol: 'http/json' as const,
      timeoutMilliseconds: 300,
    }
    const body = new TextEncoder().encode('{"resourceLogs":[]}')
    expect(await createOtlpSender({ ...destination, ca })(body)).toMatchObject({ taken: true })
    expect(await createOtlpSender(destination)(body)).toMatchObject({ taken: false })
    expect(received).toEqual(['{"resourceLogs":[]}'])
    await server.stop(true)
  })
})

describe('the service without exports', () => {
  it('sends nothing, without an endpoint and with all exports turned off', async () => {
    scene = await startTelemetryScene({ env: { OTEL_SDK_DISABLED: 'true' } })
    anyone = await callerOf(scene.service, null)
    await requests(3)
    scene.service.signal('SIGINT')
    expect(await scene.service.process.exited).toBe(0)
    expect(scene.backend.headers).toEqual([])
    await scene.stop()
  }, 600_000)
})
