import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, freePorts } from '../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../compose/servers/server-process.ts'
import { inParallel } from '../../service/documents/in-order.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import type { Comparison, Side, Variant } from './comparison.ts'
import type { Stage } from './stage.ts'
import { runWrk } from './wrk.ts'

const collection = '/v1/tenants/acme/documents'
const listed = 1000

/** What is asked of services that are the same but for their telemetry. */
const loads = {
  get: { title: 'GET 4 KiB, 16 connections', connections: 16, documents: 1, size: 4096 },
  list: { title: 'list 1,000, 1 connection', connections: 1, documents: listed, size: 16 },
} as const

/**
 * The service with nobody to tell, beside one whose metrics are counted, and one that exports traces and logs as
 * well, every request sampled. The backend is a process of its own and shares the machine.
 */
export async function compareTelemetry(stage: Stage, kind: keyof typeof loads): Promise<Comparison> {
  const load = loads[kind]
  const sink = await startSink(stage)
  const [quietPort = 0, toldPort = 0] = await freePorts(2)
  const quiet = await told(stage, {})
  const counted = await told(stage, { METRICS_PORT: String(quietPort) })
  const exported = await told(stage, {
    METRICS_PORT: String(toldPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.origin,
  })
  const side = async (service: SpawnedService): Promise<Side> => {
    const token = await service.token({ exp: Math.floor(Date.now() / 1000) + 60 * 60 })
    const path = await fill(service, token, load)
    const request = { method: 'GET', origin: service.url, paths: [path], token } as const
    return {
      async run(seconds) {
        const result = await runWrk({ ...request, connections: load.connections, seconds }, stage.folder)
        return result.requests / result.seconds
      },
    }
  }
  const variant = async (title: string, service: SpawnedService): Promise<Variant> => {
    return { title, target: null, ...(await side(service)) }
  }
  return {
    operation: 'telemetry',
    title: `telemetry, ${load.title}`,
    unit: 'requests/s',
    baseline: await side(quiet),
    variants: [await variant('counted', counted), await variant('counted and exported', exported)],
    async close() {
      for (const service of [quiet, counted, exported]) await service.stop()
      await sink.stop()
    },
  }
}

function told(stage: Stage, env: Record<string, string>): Promise<SpawnedService> {
  return serviceInChild({ store: stage.service.owner, env })
}

/** Uploads what is to be read, and gives the address to read it at. */
async function fill(
  { url }: SpawnedService,
  token: string,
  { documents, size }: (typeof loads)[keyof typeof loads],
): Promise<string> {
  const names = Array.from({ length: documents }, (_, at) => `document-${String(at).padStart(4, '0')}`)
  await inParallel(names, 16, async (name) => {
    const response = await fetch(`${url}${collection}/bench/${name}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: name.padEnd(size),
    })
    if (response.status !== 201) throw new Error(`an upload was answered with ${response.status}`)
  })
  if (documents > 1) return `${collection}?type=bench&limit=${documents}`
  const digest = new Bun.CryptoHasher('sha256').update((names[0] ?? '').padEnd(size)).digest('hex')
  return `${collection}/bench/${names[0]}/versions/sha256:${digest}`
}

const sinkProgram = fileURLToPath(new URL('otlp-sink.ts', import.meta.url))

async function startSink(stage: Stage): Promise<{ origin: string; stop(): Promise<void> }> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const { stop } = await startServer({
    name: 'otlp-sink',
    argv: [process.execPath, sinkProgram],
    env: { PATH: process.env.PATH ?? '', PORT: String(port) },
    cwd: stage.folder,
    logFile: join(stage.folder, 'otlp-sink.log'),
    isReady: () => answersOk(origin),
    readySecondsMax: 30,
    stopSecondsMax: 5,
  })
  return { origin, stop }
}
