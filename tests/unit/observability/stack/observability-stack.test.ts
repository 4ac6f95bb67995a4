import { describe, expect, it } from 'bun:test'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { YAML } from 'bun'
import { randomCredentials } from '../../../../compose/servers/running-store.ts'
import { keysIn, sharedCredentials } from '../../../../compose/stacks/credentials-file.ts'
import { ensureObservabilitySecrets } from '../../../../observability/stack/secrets.ts'
import { writeConfigs } from '../../../../observability/stack/write-configs.ts'
import { folderForTests } from '../../../support/folder.ts'

const hetzner = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_BUCKET_LOKI: 'acme-loki',
  S3_BUCKET_TEMPO: 'acme-tempo',
}

async function configOf(folder: string, name: string): Promise<unknown> {
  return YAML.parse(await readFile(join(folder, `${name}.yaml`), 'utf8'))
}

describe('writeConfigs', () => {
  it('chooses what goes with the overlays', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    expect(await writeConfigs(folder, ['loki.s3-minio'], {})).toEqual({
      LOKI_CONFIG: 'loki.s3-thanos',
      TEMPO_CONFIG: 'tempo.local',
      COLLECTOR_CONFIG: 'collector',
    })
    const onHetzner = await writeConfigs(folder, ['loki.s3-hetzner', 'tempo.s3-hetzner'], hetzner)
    expect(onHetzner).toMatchObject({
      LOKI_CONFIG: 'loki.s3-thanos.hetzner',
      TEMPO_CONFIG: 'tempo.s3.hetzner',
    })
  })

  it('takes the client of Loki that can express the prefix', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    const nested = await writeConfigs(folder, ['loki.s3-minio'], { S3_PREFIX_LOKI: 'logs/loki/' })
    expect(nested.LOKI_CONFIG).toBe('loki.s3-classic')
  })

  it('takes the configuration that a variable names, such as one with retention', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    const env = { LOKI_CONFIG: 'loki.s3-thanos.retention' }
    expect((await writeConfigs(folder, ['loki.s3-minio'], env)).LOKI_CONFIG).toBe('loki.s3-thanos.retention')
    const unknown = writeConfigs(folder, ['loki.s3-minio'], { LOKI_CONFIG: 'loki.s4' })
    await expect(unknown).rejects.toThrow('LOKI_CONFIG cannot be loki.s4')
  })

  it('gives Loki and Tempo the local store by its name in their network', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    await writeConfigs(folder, ['loki.s3-minio', 'tempo.s3-minio'], { S3_PREFIX_LOKI: 'logs/' })
    const s3 = { endpoint: 'minio:9000', insecure: true }
    expect(await configOf(folder, 'loki.s3-thanos')).toMatchObject({
      storage_config: { object_store: { storage_prefix: 'logs', s3 } },
    })
    expect(await configOf(folder, 'tempo.s3')).toMatchObject({
      storage: { trace: { s3: { ...s3, prefix: 'tempo' } } },
    })
  })

  it('refuses an environment that names no store or bucket, or a private authority that no container knows', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    await expect(writeConfigs(folder, ['loki.s3-hetzner'], {})).rejects.toThrow('S3_ENDPOINT')
    const noBucket = { ...hetzner, S3_BUCKET_TEMPO: undefined }
    await expect(writeConfigs(folder, ['tempo.s3-hetzner'], noBucket)).rejects.toThrow('S3_BUCKET_TEMPO')
    const withCa = { ...hetzner, S3_CA_FILE: '/etc/ssl/ca.pem' }
    await expect(writeConfigs(folder, ['loki.s3-hetzner'], withCa)).rejects.toThrow('S3_CA_FILE')
  })
})

describe('ensureObservabilitySecrets', () => {
  it("keeps a store's keys in a file that Loki and Tempo can read, and no other user", async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    const keys = randomCredentials()
    const env = { S3_ACCESS_KEY_ID: keys.accessKeyId, S3_SECRET_ACCESS_KEY: keys.secretAccessKey }
    await ensureObservabilitySecrets(folder, ['loki.s3-hetzner'], env)
    // Without the keys a second time: they are there.
    await ensureObservabilitySecrets(folder, ['tempo.s3-hetzner'], {})
    const file = join(folder, 'hetzner-s3-credentials')
    expect(keysIn(await readFile(file, 'utf8'))).toEqual(keys)
    // Root gives it to the containers' user; other users cannot.
    expect((await stat(file)).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o600 : 0o644)
  })

  it('says which variables to set if there are no keys', async () => {
    const folder = await folderForTests('cloudlysis-stack-')
    const attempt = ensureObservabilitySecrets(folder, ['loki.s3-hetzner'], {})
    await expect(attempt).rejects.toThrow('S3_ACCESS_KEY_ID is needed with S3_SECRET_ACCESS_KEY')
  })
})

describe('keysIn', () => {
  it('reads what sharedCredentials writes, and refuses anything else', () => {
    const keys = randomCredentials()
    expect(keysIn(sharedCredentials(keys))).toEqual(keys)
    expect(() => keysIn('[default]\naws_access_key_id = a\n')).toThrow('not a file of keys')
  })
})
