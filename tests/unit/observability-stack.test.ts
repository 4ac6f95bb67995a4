import { describe, expect, it } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { YAML } from 'bun'
import { ensureObservabilitySecrets } from '../../compose/observability/secrets.ts'
import { writeConfigs } from '../../compose/observability/write-configs.ts'
import { randomCredentials } from '../../compose/servers/running-store.ts'
import { keysIn, sharedCredentials } from '../../compose/stack-secrets.ts'

const hetzner = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_BUCKET_LOKI: 'acme-loki',
  S3_BUCKET_TEMPO: 'acme-tempo',
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-stack-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('writeConfigs', () => {
  it('writes one configuration a server, under the name that the compose file of its choice mounts', () =>
    inFolder(async (folder) => {
      await writeConfigs(folder, ['loki.s3-minio'], {})
      expect((await readdir(folder)).sort()).toEqual([
        'collector.yaml',
        'loki.s3-minio.yaml',
        'tempo.local.yaml',
      ])
    }))

  it('tells Loki and Tempo the local store by the name that it has in its network', () =>
    inFolder(async (folder) => {
      await writeConfigs(folder, ['loki.s3-minio', 'tempo.s3-minio'], { S3_PREFIX_LOKI: 'logs/' })
      const loki = YAML.parse(await readFile(join(folder, 'loki.s3-minio.yaml'), 'utf8'))
      expect(loki).toMatchObject({
        storage_config: {
          object_store: { storage_prefix: 'logs', s3: { endpoint: 'minio:9000', insecure: true } },
        },
      })
      const tempo = YAML.parse(await readFile(join(folder, 'tempo.s3-minio.yaml'), 'utf8'))
      expect(tempo).toMatchObject({ storage: { trace: { s3: { endpoint: 'minio:9000', prefix: 'tempo' } } } })
    }))

  it('tells them the store of the environment otherwise, and is careful with it', () =>
    inFolder(async (folder) => {
      await writeConfigs(folder, ['loki.s3-hetzner', 'tempo.s3-hetzner'], hetzner)
      const loki = YAML.parse(await readFile(join(folder, 'loki.s3-hetzner.yaml'), 'utf8'))
      expect(loki).toMatchObject({
        storage_config: { max_parallel_get_chunk: 32, object_store: { s3: { bucket_name: 'acme-loki' } } },
      })
      const tempo = await readFile(join(folder, 'tempo.s3-hetzner.yaml'), 'utf8')
      expect(tempo).toContain('fsn1.your-objectstorage.com')
    }))

  it('refuses an environment that names no store or bucket, and a private authority that no container would know', () =>
    inFolder(async (folder) => {
      await expect(writeConfigs(folder, ['loki.s3-hetzner'], {})).rejects.toThrow('S3_ENDPOINT')
      const noBucket = { ...hetzner, S3_BUCKET_TEMPO: undefined }
      await expect(writeConfigs(folder, ['tempo.s3-hetzner'], noBucket)).rejects.toThrow('S3_BUCKET_TEMPO')
      const withCa = { ...hetzner, S3_CA_FILE: '/etc/ssl/ca.pem' }
      await expect(writeConfigs(folder, ['loki.s3-hetzner'], withCa)).rejects.toThrow('S3_CA_FILE')
    }))
})

describe('ensureObservabilitySecrets', () => {
  it("keeps a store's keys in a file of the form that Loki and Tempo read, which only its owner can", () =>
    inFolder(async (folder) => {
      const keys = randomCredentials()
      const env = { S3_ACCESS_KEY_ID: keys.accessKeyId, S3_SECRET_ACCESS_KEY: keys.secretAccessKey }
      await ensureObservabilitySecrets(folder, ['loki.s3-hetzner'], env)
      // Without the keys a second time: they are there.
      await ensureObservabilitySecrets(folder, ['tempo.s3-hetzner'], {})
      const file = join(folder, 'hetzner-s3-credentials')
      expect(keysIn(await readFile(file, 'utf8'))).toEqual(keys)
      // Root gives it to the containers' user; anybody else cannot.
      expect((await stat(file)).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o600 : 0o644)
    }))

  it('says what to set where there are no keys', () =>
    inFolder(async (folder) => {
      const attempt = ensureObservabilitySecrets(folder, ['loki.s3-hetzner'], {})
      await expect(attempt).rejects.toThrow('S3_ACCESS_KEY_ID_FILE')
    }))
})

describe('keysIn', () => {
  it('reads what sharedCredentials writes, and refuses anything else', () => {
    const keys = randomCredentials()
    expect(keysIn(sharedCredentials(keys))).toEqual(keys)
    expect(() => keysIn('[default]\naws_access_key_id = a\n')).toThrow('not a file of keys')
  })
})
