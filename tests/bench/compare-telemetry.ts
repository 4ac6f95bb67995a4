import { freePorts } from '../../compose/servers/free-port.ts'
import { inParallel } from '../../service/documents/in-order.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import type { Comparison, Side } from './comparison.ts'
import type { Stage } from './stage.ts'
import { requestsOf } from './wrk.ts'

const collection = '/v1/tenants/acme/documents'
const listed = 1000

/** What services are asked for that differ in their telemetry alone. */
const loads = {
  get: { title: 'GET 4 KiB, 16 connections', connections: 16, documents: 1, size: 4096 },
  list: { title: 'list 1,000, 1 connection', connections: 1, documents: listed, size: 16 },
} as const

/**
 * The service without telemetry, compared with one whose metrics are counted, and one that exports traces and logs as
 * well, every request sampled. The backend is a process of its own and shares the machine.
 */
export async function compareTelemetry(stage: Stage, kind: keyof typeof loads): Promise<Comparison> {
  const load = loads[kind]
  const sink = await stage.startProgram('otlp-sink.ts')
  const [countedPort = 0, exportedPort = 0] = await freePorts(2)
  const quiet = await started(stage, {})
  const counted = await started(stage, { METRICS_PORT: String(countedPort) })
  const exported = await started(stage, {
    METRICS_PORT: String(exportedPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.origin,
  })
  const side = async (title: string, service: SpawnedService): Promise<Side> => {
    const token = await service.token({ exp: Math.floor(Date.now() / 1000) + 60 * 60 })
    const path = await fill(service, token, load)
    const request = { method: 'GET', origin: service.url, paths: [path], token } as const
    return {
      title,
      pid: service.process.pid,
      run: (seconds) => requestsOf({ ...request, connections: load.connections, seconds }, stage.folder),
    }
  }
  return {
    operation: 'telemetry',
    title: `telemetry, ${load.title}`,
    unit: 'requests',
    sides: [
      await side('service', quiet),
      await side('counted', counted),
      await side('counted and exported', exported),
    ],
    targets: [],
    async close() {
      for (const service of [quiet, counted, exported]) await service.stop()
      await sink.stop()
    },
  }
}

function started(stage: Stage, env: Record<string, string>): Promise<SpawnedService> {
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
