import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { join } from 'node:path'
import { serverNames } from '../../observability/proof/deployment.ts'
import { readLokiChunk } from '../../observability/proof/formats/loki-chunk.ts'
import { parseChunkKey } from '../../observability/proof/formats/loki-keys.ts'
import { parseBlockKey } from '../../observability/proof/formats/tempo-keys.ts'
import { flush } from '../../observability/proof/servers/ask.ts'
import { queryLines } from '../../observability/proof/servers/loki-api.ts'
import { traceById } from '../../observability/proof/servers/tempo-api.ts'
import { listObjects, readObject } from '../../observability/proof/store/objects.ts'
import { until } from '../../observability/proof/until.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { sendLogRecord } from '../support/observability/otlp.ts'
import { keepPrinted } from '../support/printed.ts'
import {
  type ObservabilityScene,
  openObservabilityScene,
  runbook,
} from '../support/swarm/observability-scene.ts'
import { printedBy } from '../support/swarm/swarm-scene.ts'

const minutes = 60_000
// Time limits catch what hangs, and are far above what a busy machine needs.
setDefaultTimeout(20 * minutes)
/** Of what happens within seconds once it can. */
const landingSecondsMax = 60
/** As many as one query gives back. */
const linesMax = 100
const services = ['loki', 'tempo', 'otel-collector']

/** The request, and what it asked of the store. */
const spansOfUpload = ['PUT /v1/tenants/:tenant/documents/:type/:name', 'S3 PutObject', 'S3 PutObject']

/** Every container of both stacks that there was, and what it printed. */
const printed = new Map<string, string>()
const began = Date.now()

const scene = await openObservabilityScene()
// Each begins with work for the machine, and then mostly waits.
const packed = scene.followDocuments('image')
await follow('images')
await follow('network')
await follow('configs')
await follow('secrets')
const deployed = follow('deploy')
expect(await packed).toMatchObject({ exitCode: 0 })
expect(await scene.followDocuments('secrets')).toMatchObject({ exitCode: 0 })
await Promise.all([deployed, follow('connect')])

afterAll(async () => {
  for (const text of printed.values()) keepPrinted('swarm-observability', text)
  await scene?.stop()
}, 5 * minutes)

/** Runs a block that has to succeed. */
async function follow(block: string, env: Record<string, string> = {}): Promise<string> {
  const { exitCode, out, err } = await scene.follow(block, env)
  expect({ block, exitCode, out, err }).toMatchObject({ exitCode: 0 })
  return out
}

/** Containers of both stacks, the ended ones included. */
async function containers(...filters: string[]): Promise<string[]> {
  const named = ['label=com.docker.stack.namespace', ...filters].flatMap((filter) => ['--filter', filter])
  const ids = await scene.docker('ps', '--all', '--quiet', '--no-trunc', ...named)
  return ids.split('\n').filter((id) => id !== '')
}

/** Swarm removes old tasks: what they printed is kept before. */
async function keepLogs(): Promise<void> {
  for (const id of await containers()) printed.set(id, await printedBy(scene, id))
}

const range = () => ({ from: began - minutes, to: Date.now() + minutes })
const loki = async () => ({ url: await scene.urlOf('loki', 3100) })
const tempo = async () => ({ url: await scene.urlOf('tempo', 3200) })

interface Upload {
  correlationId: string
  traceId: string
}

/** Uploads a document by way of the proxy, once that knows a task that is ready. */
async function upload(): Promise<Upload> {
  await until(landingSecondsMax, async () => {
    const ready = await fetch(`${scene.url}/readyz`, { tls: { ca: scene.ca } })
    await ready.body?.cancel()
    return ready.ok || null
  })
  const correlationId = `upload-${crypto.randomUUID()}`
  const response = await fetch(`${scene.url}/v1/tenants/acme/documents/reports/${correlationId}`, {
    method: 'PUT',
    body: correlationId,
    headers: {
      authorization: `Bearer ${await scene.issuer.token()}`,
      'x-correlation-id': correlationId,
    },
    tls: { ca: scene.ca },
  })
  expect({ status: response.status, body: await response.text() }).toMatchObject({ status: 201 })
  return { correlationId, traceId: response.headers.get('traceparent')?.split('-')[1] ?? '' }
}

/** Its lines in Loki and its spans in Tempo, once they are there. */
async function expectFound({ correlationId, traceId }: Upload): Promise<void> {
  const query = `{service_name="cloudlysis-documents"} | cloudlysis_correlation_id="${correlationId}"`
  const lines = await until(landingSecondsMax, async () => {
    const found = (await queryLines(await loki(), query, range())).lines
    return found.length === 3 ? found.map(({ text }) => JSON.parse(text)) : null
  })
  expect(lines).toMatchObject([
    { event: 'access.decided', action: 'document.put', traceId },
    { event: 'access.answered', action: 'document.put', traceId },
    { event: 'request.answered', status: 201, traceId },
  ])
  let names: string[] = []
  await until(landingSecondsMax, async () => {
    names = ((await traceById(await tempo(), traceId))?.spans ?? []).map(({ name }) => name)
    return names.length >= spansOfUpload.length ? names : null
  })
  expect(names.sort()).toEqual(spansOfUpload)
}

/** Uploads until the telemetry of an upload arrives: a sender gives up after ten seconds if its Collector is gone. */
async function uploadToNewCollector(): Promise<Upload> {
  const told = await until(landingSecondsMax, async () => {
    const uploaded = await upload()
    const isTold = async () => ((await traceById(await tempo(), uploaded.traceId)) === null ? null : uploaded)
    return until(5, isTold)
  })
  if (told === null) throw new Error('the telemetry of no upload arrives')
  return told
}

/** Has both write what they have; keys of the objects in which an upload then is. */
async function objectsOf({ correlationId, traceId }: Upload): Promise<string[]> {
  await Promise.all([flush(await loki()), flush(await tempo())])
  const { objects } = scene.places.tempo
  const chunk = await until(landingSecondsMax, () => chunkWith(correlationId))
  const block = await until(landingSecondsMax, () =>
    firstKey(objects, async (key) => {
      const parsed = parseBlockKey(key)
      if (parsed?.file !== 'meta.json') return false
      const data = await readObject(objects, `${parsed.folder}data.parquet`)
      return Buffer.from(data ?? '').includes(Buffer.from(traceId, 'hex'))
    }),
  )
  return [chunk ?? '', block ?? '']
}

/** Key of a chunk of Loki with this text in it. */
function chunkWith(text: string): Promise<string | null> {
  const { objects } = scene.places.loki
  return firstKey(objects, async (key) => {
    if (parseChunkKey(key) === null) return false
    const { contents } = readLokiChunk((await readObject(objects, key)) ?? new Uint8Array())
    return Buffer.from(contents).includes(text)
  })
}

type Objects = ObservabilityScene['places']['loki']['objects']

async function firstKey(objects: Objects, holds: (key: string) => Promise<boolean>): Promise<string | null> {
  for (const key of (await listObjects(objects)).keys()) if (await holds(key)) return key
  return null
}

describe('Loki, Tempo and the Collector on a real Swarm, on Ceph RGW behind TLS, by their runbook', () => {
  it('take what the document service tells, find it by its ids, and keep it under their prefixes', async () => {
    const uploaded = await upload()
    await expectFound(uploaded)
    const [chunk, block] = await objectsOf(uploaded)
    expect(chunk).toStartWith('loki/fake/')
    expect(block).toStartWith('tempo/single-tenant/')
  })

  it('have keys that reach their own bucket and nothing else', async () => {
    for (const server of serverNames) {
      const [key] = scene.places[server].keys
      for (const other of serverNames) {
        const { bucket, prefix } = scene.places[other]
        const objects = createS3ObjectStore({ ...scene.store, ...key, bucket, connectionsMax: 1 })
        const listed = await objects.list({ prefix, limit: 1 }).then(
          () => 'listed',
          (error) => error.code,
        )
        objects.close()
        expect({ server, other, listed }).toEqual({
          server,
          other,
          listed: server === other ? 'listed' : 'denied',
        })
      }
    }
  })

  it('run every task without root, on a read-only file system, without a capability or a port', async () => {
    for (const service of services) {
      const [one] = JSON.parse(await scene.docker('inspect', await scene.taskOf(service)))
      expect(one.HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], Privileged: false })
      expect(one.HostConfig.Memory).toBeGreaterThan(0)
      expect(one.HostConfig.LogConfig.Config).toMatchObject({ 'max-size': '10m' })
      expect(Object.values(one.NetworkSettings.Ports).filter((port) => port !== null)).toEqual([])
      const status = await Bun.file(`/proc/${one.State.Pid}/status`).text()
      expect(status).toMatch(/^Uid:\s+10001\s+10001\s+10001\s+10001$/m)
      expect(status).toMatch(/^CapEff:\s+0+$/m)
    }
    expect(await follow('look')).toContain('1/1')
  })

  it('lose nothing that was taken while Loki was killed', async () => {
    await keepLogs()
    const killed = await scene.taskOf('loki')
    const collector = await scene.urlOf('otel-collector', 4318)
    const taken: string[] = []
    const send = async () => {
      const line = `line ${taken.length} ${crypto.randomUUID()}`
      await sendLogRecord(collector, 'killed', line)
      taken.push(line)
    }
    while (taken.length < 20) await send()
    await scene.docker('kill', killed)
    const back = await until(120, async () => {
      if (taken.length < linesMax) await send()
      const task = await scene.taskOf('loki')
      const isReady = task !== '' && task !== killed && (await isLokiReady())
      return isReady ? task : null
    })
    expect(back).not.toBeNull()
    const lines = await until(landingSecondsMax, async () => {
      const found = (await queryLines(await loki(), '{service_name="killed"}', range())).lines
      return found.length === taken.length ? found.map(({ text }) => text) : null
    })
    expect(lines?.sort()).toEqual(taken.sort())
  })

  it('are proved from inside their network', async () => {
    expect(await follow('prove')).not.toMatch(/^[✗?]/m)
  })

  it('are not thought dead while their store is away, and write afterwards what they took meanwhile', async () => {
    const line = `taken without a store ${crypto.randomUUID()}`
    scene.relay.setAway(true)
    try {
      await sendLogRecord(await scene.urlOf('otel-collector', 4318), 'away', line)
      const taken = await until(landingSecondsMax, async () => {
        const { lines } = await queryLines(await loki(), '{service_name="away"}', range())
        return lines.length > 0 || null
      })
      expect(taken).toBe(true)
      await flush(await loki())
      for (const service of services) await askAsEngine(await scene.taskOf(service))
    } finally {
      scene.relay.setAway(false)
    }
    const chunk = await until(landingSecondsMax, async () => {
      await flush(await loki())
      return chunkWith(line)
    })
    expect(chunk).toStartWith('loki/fake/')
  })

  it('get new keys, and work on when the old ones are gone', async () => {
    await keepLogs()
    for (const { admit, keys } of Object.values(scene.places)) await admit(keys)
    await scene.writeKeys(1)
    await follow('rotate-keys', { NEW_KEY_VERSION: '2' })
    for (const { admit, keys } of Object.values(scene.places)) await admit(keys.slice(1))
    await follow('forget-keys', { OLD_KEY_VERSION: '1' })
    const uploaded = await upload()
    await expectFound(uploaded)
    expect(await objectsOf(uploaded)).not.toContain('')
  })

  it('refuse a configuration that does not work, and go back by themselves', async () => {
    await keepLogs()
    const before = await configOf('loki')
    const { bucket } = scene.places.loki
    await scene.set('S3_BUCKET_LOKI', 'absent-bucket')
    const update = {
      SERVER: 'LOKI',
      NEW_CONFIG: 'loki.s3-thanos.retention.hetzner',
      NEW_CONFIG_VERSION: '2',
    }
    const broken = await scene.follow('update-config', update)
    expect(broken.err).toEndWith('observability_loki: rollback_completed\n')
    expect(broken.exitCode).toBe(1)
    expect(await configOf('loki')).toBe(before)
    await scene.set('S3_BUCKET_LOKI', bucket)
    await scene.set('LOKI_CONFIG_VERSION', '1')
  })

  it('take another configuration, and the one before it again', async () => {
    await keepLogs()
    const update = { SERVER: 'COLLECTOR', NEW_CONFIG: 'collector.multi-tenant', NEW_CONFIG_VERSION: '2' }
    await follow('update-config', update)
    expect(await configOf('otel-collector')).toBe('observability_collector_2')
    await expectFound(await uploadToNewCollector())
    await follow('rollback', { SERVICE: 'otel-collector' })
    expect(await configOf('otel-collector')).toBe('observability_collector_1')
    await expectFound(await uploadToNewCollector())
  })

  it('show no secret: not in what Docker tells of containers, services and configs, not in a log', async () => {
    await keepLogs()
    const told = await scene.docker('inspect', ...(await containers()))
    const specified = await scene.docker(
      'service',
      'inspect',
      ...services.map((name) => `observability_${name}`),
    )
    const names = (await scene.docker('config', 'ls', '--format', '{{.Name}}')).trim().split('\n')
    const configs = await scene.docker('config', 'inspect', '--pretty', ...names)
    const all = [told, specified, configs, ...printed.values()]
    expect(told).toContain('AWS_SHARED_CREDENTIALS_FILE=/run/secrets/s3_credentials')
    expect(configs).toContain(scene.places.loki.bucket)
    expect(printed.size).toBeGreaterThan(8)
    const secrets = serverNames.flatMap((server) =>
      scene.places[server].keys.map((key) => key.secretAccessKey),
    )
    expect(secrets.filter((secret) => all.some((text) => text.includes(secret)))).toEqual([])
    // Where it is said to be, it is: the search knows what it is looking for.
    const pid = (
      await scene.docker('inspect', '--format', '{{.State.Pid}}', await scene.taskOf('loki'))
    ).trim()
    const mounted = await Bun.file(join('/proc', pid, 'root/run/secrets/s3_credentials')).text()
    expect(mounted).toContain(scene.places.loki.keys[1].secretAccessKey)
  })

  it('were taken through every block of their runbook', () => {
    expect([...scene.followed, 'setup'].sort()).toEqual([...runbook.keys()].sort())
  })
})

/** Runs the check of a container in it, as the engine does. @throws {CommandError} if it is not healthy. */
async function askAsEngine(task: string): Promise<void> {
  const [{ Config }] = JSON.parse(await scene.docker('inspect', task))
  const [, ...check] = Config.Healthcheck.Test
  await scene.docker('exec', task, ...check)
}

async function isLokiReady(): Promise<boolean> {
  const { url } = await loki()
  const response = await fetch(`${url}/ready`).catch(() => null)
  await response?.body?.cancel()
  return response?.status === 200
}

/** Name of the configuration that a service is specified with. */
async function configOf(service: string): Promise<string> {
  const format = '{{range .Spec.TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}} {{end}}'
  const names = await scene.docker('service', 'inspect', '--format', format, `observability_${service}`)
  return names.split(' ').find((name) => name !== 'observability_private_ca_1') ?? ''
}
