import { afterAll, describe, expect, it } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HeadBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { freePorts } from '../../compose/servers/free-port.ts'
import { keysIn } from '../../compose/stacks/credentials-file.ts'
import { newMarker } from '../../observability/proof/marker.ts'
import { askJson } from '../../observability/proof/servers/ask.ts'
import { sendLog, sendTrace } from '../../observability/proof/servers/otlp.ts'
import { until } from '../../observability/proof/until.ts'
import { openObservability, upObservability } from '../../observability/stack/observability-stack.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const validate = resolve(import.meta.dir, '../../observability/proof/validate.ts')
const project = `cloudlysis-observability-${process.pid}`
const overlays = ['loki.s3-minio', 'tempo.s3-minio', 'collector.otlp', 'metrics.prometheus'] as const
/** Users of all services that keep running. */
const users = {
  loki: '10001',
  tempo: '10001',
  'otel-collector': '10001',
  minio: '10001',
  prometheus: '65534',
}

const env = await dockerForTests()
const folder = await folderForTests('cloudlysis-observability-')
const ports = await portsForTests()
const stack = await withProgress('observability', (onProgress) =>
  upObservability({ folder, project, overlays, ports, env, onProgress }),
)
for (const secret of await secretsOfStack()) registerSecret(secret)

afterAll(async () => {
  // Also where it did not come up.
  await (await openObservability(folder, env)).remove()
})

async function portsForTests() {
  const names = [
    'MINIO_API',
    'MINIO_CONSOLE',
    'LOKI',
    'TEMPO',
    'TEMPO_OTLP',
    'COLLECTOR_OTLP',
    'COLLECTOR_OTLP_GRPC',
  ]
  const ports = await freePorts(names.length + 1)
  return Object.fromEntries([...names, 'PROMETHEUS'].map((name, nth) => [`${name}_PORT`, ports[nth]]))
}

/** Returns everything confidential in the stack's secret files: secret keys, passwords, tokens. */
async function secretsOfStack(): Promise<string[]> {
  const secrets = join(folder, 'secrets')
  const names = (await readdir(secrets)).filter((name) => !/access-key-id|root-user/.test(name))
  const texts = await Promise.all(names.map((name) => Bun.file(join(secrets, name)).text()))
  return texts.map((text) => (text.startsWith('[default]') ? keysIn(text).secretAccessKey : text.trim()))
}

/** Returns a client with the keys of Loki or Tempo. */
async function clientOf(server: 'loki' | 'tempo'): Promise<S3Client> {
  const keys = await Bun.file(join(folder, `secrets/${server}-s3-credentials`)).text()
  return new S3Client({
    endpoint: stack.urls.minio ?? '',
    region: 'us-east-1',
    credentials: keysIn(keys),
    forcePathStyle: true,
  })
}

async function keysOf(server: 'loki' | 'tempo'): Promise<string[]> {
  const list = new ListObjectsV2Command({ Bucket: `cloudlysis-${server}` })
  const { Contents = [] } = await (await clientOf(server)).send(list)
  return Contents.map(({ Key = '' }) => Key)
}

interface Inspected {
  Config: { User: string; Labels: Record<string, string> }
  HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; SecurityOpt: string[]; Privileged: boolean }
  State: { Running: boolean; ExitCode: number }
}

async function inspected(): Promise<Map<string, Inspected>> {
  const containers: Inspected[] = JSON.parse(await stack.inspect())
  return new Map(containers.map((one) => [one.Config.Labels['com.docker.compose.service'] ?? '', one]))
}

/** Returns the ids of the users as whom the processes of a service really run, each once. */
async function usersOf(service: string): Promise<string[]> {
  const id = (await stack.compose(['ps', '--quiet', service])).stdout.trim()
  const [, ...processes] = (await mustRun(['docker', 'top', id, '-o', 'pid,uid'], { env })).trim().split('\n')
  return [...new Set(processes.map((line) => line.trim().split(/ +/)[1] ?? ''))]
}

describe('Loki and Tempo on S3 by Compose, on a real Docker Engine', () => {
  it('runs every container without root, on a read-only file system and without capabilities', async () => {
    const containers = await inspected()
    for (const [service, user] of Object.entries(users)) {
      const { HostConfig, State } = containers.get(service) ?? {}
      expect(State?.Running).toBe(true)
      expect(HostConfig?.ReadonlyRootfs).toBe(true)
      expect(HostConfig?.CapDrop).toEqual(['ALL'])
      expect(HostConfig?.SecurityOpt).toContain('no-new-privileges:true')
      expect(await usersOf(service)).toEqual([user])
    }
  })

  it('shows no secret in what Docker reports about the containers, nor in their logs', async () => {
    const { stdout: logs } = await stack.compose(['logs', '--no-color'])
    keepPrinted('compose', logs)
    const told = (await stack.inspect()) + logs
    expect(told).toContain('/run/secrets/loki_s3_credentials')
    const secrets = await secretsOfStack()
    expect(secrets).toHaveLength(7)
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
  })

  it('lets Loki and Tempo reach their own bucket and no other', async () => {
    const head = async (server: 'loki' | 'tempo', bucket: string) => {
      try {
        const { $metadata } = await (await clientOf(server)).send(new HeadBucketCommand({ Bucket: bucket }))
        return $metadata.httpStatusCode
      } catch (error) {
        return (error as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode
      }
    }
    expect(await head('loki', 'cloudlysis-loki')).toBe(200)
    expect(await head('loki', 'cloudlysis-tempo')).toBe(403)
    expect(await head('loki', 'cloudlysis-docs')).toBe(403)
    expect(await head('tempo', 'cloudlysis-tempo')).toBe(200)
    expect(await head('tempo', 'cloudlysis-docs')).toBe(403)
  })

  it('has Prometheus scrape every server, and MinIO with its own token', async () => {
    const jobs = ['collector', 'loki', 'minio', 'prometheus', 'tempo']
    const up = await until(300, async () => {
      const { data } = await askJson<Targets>(`${stack.urls.prometheus}/api/v1/targets?state=active`)
      const healthy = data.activeTargets.filter(({ health }) => health === 'up')
      const names = healthy.map(({ labels }) => labels.job).sort()
      return names.length === jobs.length ? names : null
    })
    expect(up).toEqual(jobs)
  }, 400_000)

  it('has everything that was sent in the bucket once all services are stopped, including the queues of the Collector', async () => {
    const marker = newMarker()
    const collector = { otlpUrl: stack.urls.collector ?? '' }
    expect((await sendLog(collector, marker)).status).toBe(200)
    expect((await sendTrace(collector, marker)).status).toBe(200)
    await stack.stop()
    const containers = await inspected()
    expect(containers.get('loki')?.State.ExitCode).toBe(0)
    expect(containers.get('tempo')?.State.ExitCode).toBe(0)
    await stack.must(['up', '--detach', '--wait', 'minio'])
    const [loki, tempo] = [await keysOf('loki'), await keysOf('tempo')]
    expect(loki.filter((key) => key.startsWith('loki/fake/'))).not.toEqual([])
    expect(loki.filter((key) => /^loki\/index\/.*\.tsdb\.gz$/.test(key))).not.toEqual([])
    expect(tempo.filter((key) => /^tempo\/single-tenant\/[\w-]+\/meta\.json$/.test(key))).toHaveLength(1)
  })

  it('is proved by validate as it runs, once Loki and Tempo have started again on empty disks', async () => {
    await stack.must(['rm', '--force', 'loki', 'tempo'])
    await mustRun(['docker', 'volume', 'rm', `${project}_loki-data`, `${project}_tempo-data`], { env })
    await stack.must(['up', '--detach', '--wait', 'loki', 'tempo', 'otel-collector'])
    const { loki, tempo, collector, minio } = stack.urls
    const against = `loki=${loki},tempo=${tempo},otlp=${collector}`
    const argv = [process.execPath, validate, '--against', against, '--evidence', join(folder, 'evidence')]
    const { exitCode, stdout, stderr } = await runCommand(argv, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        S3_ENDPOINT: minio ?? '',
        S3_REGION: 'us-east-1',
        S3_FORCE_PATH_STYLE: 'true',
        S3_INSECURE: 'true',
        S3_ACCESS_KEY_ID_FILE: join(folder, 'secrets/minio-root-user'),
        S3_SECRET_ACCESS_KEY_FILE: join(folder, 'secrets/minio-root-password'),
        S3_BUCKET_LOKI: 'cloudlysis-loki',
        S3_BUCKET_TEMPO: 'cloudlysis-tempo',
      },
    })
    keepPrinted('validate', stdout + stderr)
    expect(stdout).not.toContain('✗')
    expect(exitCode).toBe(0)
  }, 240_000)
})

interface Targets {
  data: { activeTargets: { health: string; labels: { job: string } }[] }
}
