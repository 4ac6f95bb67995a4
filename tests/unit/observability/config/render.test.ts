import { describe, expect, it } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { YAML } from 'bun'
import { runCommand } from '../../../../compose/run-command.ts'
import { filled } from '../../../../observability/config/config-template.ts'
import {
  lokiVariantFor,
  renderConfiguration,
  writeConfiguration,
} from '../../../../observability/config/configurations.ts'
import { renderCollector, renderLoki, renderTempo } from '../../../../observability/config/render.ts'
import type { LokiStoreSettings, TempoStoreSettings } from '../../../../observability/config/settings.ts'
import { variantOrder } from '../../../../observability/config/variants.ts'
import { folderForTests } from '../../../support/folder.ts'

const root = resolve(import.meta.dir, '../../../..')

const tempoStore: TempoStoreSettings = {
  bucket: 'acme',
  prefix: 'acme/traces',
  endpoint: 'store.example:9000',
  region: 'fsn1',
  insecure: false,
  forcePathStyle: false,
  caFile: '/ca/store.pem',
}
const lokiStore: LokiStoreSettings = { ...tempoStore, prefix: 'logs', client: 'thanos' }
const lokiPlaces = { host: '127.0.0.1', dataDir: '/loki', httpPort: 3100, grpcPort: 9095 }
const tempoPlaces = { ...lokiPlaces, dataDir: '/var/tempo', otlpHttpPort: 4318, otlpGrpcPort: 4317 }

const loki = { store: lokiStore, places: lokiPlaces }
const tempo = { store: tempoStore, places: tempoPlaces }

const folder = await folderForTests('cloudlysis-render-')

/** Returns `${name}`, as a file contains it. */
const hole = (name: string) => `$\{${name}}`

describe('filled', () => {
  it('keeps the type of a value that is alone and makes text of one that is not', () => {
    expect(
      filled({ port: hole('port'), at: [`${hole('host')}:${hole('port')}`] }, { port: 80, host: 'a' }),
    ).toEqual({
      port: 80,
      at: ['a:80'],
    })
  })

  it('leaves out what is null, and what is empty without it, but nothing that was empty before', () => {
    const config = { tls: { ca: hole('ca') }, local: null, kept: {}, other: { is: false } }
    expect(filled(config, { ca: null })).toEqual({ kept: {}, other: { is: false } })
  })

  it('puts a value in as it is, whatever it looks like', () => {
    const nasty = `${hole('port')}", x: {y`
    expect(filled({ name: hole('name') }, { name: nasty, port: 1 })).toEqual({ name: nasty })
  })

  it('refuses a placeholder that has no value', () => {
    expect(() => filled({ a: { b: hole('missing') } }, {})).toThrow('placeholder missing')
  })
})

describe('renderLoki', () => {
  it('does not depend on the order in which variants are named', async () => {
    const inOrder = await renderLoki(['s3-thanos', 'retention', 'multi-tenant', 'hetzner'], loki)
    expect(await renderLoki(['hetzner', 'multi-tenant', 'retention', 's3-thanos'], loki)).toBe(inOrder)
    expect(await renderLoki(['retention', 's3-thanos', 'hetzner', 'multi-tenant'], loki)).toBe(inOrder)
  })

  it('keeps everything on its disk without a variant for S3', async () => {
    expect(YAML.parse(await renderLoki(['retention'], { places: lokiPlaces }))).toMatchObject({
      schema_config: { configs: [{ object_store: 'filesystem' }] },
      storage_config: { filesystem: { directory: '/loki/chunks' } },
      compactor: { delete_request_store: 'filesystem' },
    })
  })

  it('configures the thanos client for the store, and its disk no longer', async () => {
    const config = YAML.parse(await renderLoki(['s3-thanos', 'retention'], loki)) as {
      storage_config: Record<string, unknown>
    }
    expect(config).toMatchObject({
      schema_config: { configs: [{ object_store: 's3' }] },
      storage_config: {
        use_thanos_objstore: true,
        object_store: {
          storage_prefix: 'logs',
          s3: {
            bucket_name: 'acme',
            endpoint: 'store.example:9000',
            region: 'fsn1',
            insecure: false,
            bucket_lookup_type: 'virtual-hosted',
            http: { tls_ca_path: '/ca/store.pem' },
          },
        },
      },
      compactor: { delete_request_store: 's3' },
    })
    expect(config.storage_config).not.toHaveProperty('filesystem')
    expect(config).not.toHaveProperty('common.storage')
  })

  it('configures the classic client for the store in its own terms', async () => {
    const store: LokiStoreSettings = { ...lokiStore, client: 'classic', prefix: 'a/b', forcePathStyle: true }
    expect(YAML.parse(await renderLoki(['s3-classic'], { ...loki, store }))).toMatchObject({
      storage_config: {
        use_thanos_objstore: false,
        object_prefix: 'a/b',
        aws: { bucketnames: 'acme', s3forcepathstyle: true, http_config: { ca_file: '/ca/store.pem' } },
      },
    })
  })

  it('leaves out a private authority if there is none', async () => {
    const text = await renderLoki(['s3-thanos'], { ...loki, store: { ...lokiStore, caFile: null } })
    expect(text).not.toContain('tls_ca_path')
  })

  it('refuses two stores, a missing store, one for the other client, and unknown variants', async () => {
    const both = renderLoki(['s3-thanos', 's3-classic'], loki).catch(String)
    expect(await both).toContain('s3-thanos and s3-classic exclude each other')
    expect(await renderLoki(['s3-thanos'], { places: lokiPlaces }).catch(String)).toContain('needs a store')
    expect(await renderLoki(['s3-classic'], loki).catch(String)).toContain('for the thanos client')
    expect(await renderLoki(['hetzner'], loki).catch(String)).toContain('name its store')
    expect(await renderLoki(['s3'], loki).catch(String)).toContain('no variant s3')
  })
})

describe('renderTempo', () => {
  it('does not depend on the order in which variants are named', async () => {
    const inOrder = await renderTempo(['s3', 'retention', 'multi-tenant', 'hetzner'], tempo)
    expect(await renderTempo(['hetzner', 'retention', 'multi-tenant', 's3'], tempo)).toBe(inOrder)
  })

  it('configures its client for the store', async () => {
    const s3 = {
      bucket: 'acme',
      prefix: 'acme/traces',
      endpoint: 'store.example:9000',
      forcepathstyle: false,
      bucket_lookup_type: 1,
      tls_ca_path: '/ca/store.pem',
    }
    expect(YAML.parse(await renderTempo(['s3'], tempo))).toMatchObject({ storage: { trace: { s3 } } })
  })

  it('accepts no gossip', async () => {
    expect(YAML.parse(await renderTempo([], tempo))).toMatchObject({
      memberlist: { bind_addr: ['127.0.0.1'], bind_port: 0 },
      distributor: { ring: { kvstore: { store: 'inmemory' } } },
      ingester: { lifecycler: { ring: { kvstore: { store: 'inmemory' } } } },
    })
  })
})

describe('renderCollector', () => {
  it('listens on the configured host, and on all addresses in a container', async () => {
    const { dataDir, otlpHttpPort, otlpGrpcPort } = tempoPlaces
    const places = { dataDir, otlpHttpPort, otlpGrpcPort, healthPort: 13133, metricsPort: 8888 }
    const urls = { lokiUrl: 'http://loki:3100', tempoUrl: 'http://tempo:4318' }
    const native = await renderCollector([], { ...urls, places: { ...places, host: '127.0.0.1' } })
    expect(native).toContain('endpoint: 127.0.0.1:4318')
    expect(native).not.toContain('0.0.0.0')
    expect(await renderCollector([], { ...urls, places })).toContain('endpoint: 0.0.0.0:4318')
  })
})

describe('the variants', () => {
  it('are the files of each server next to its base', async () => {
    const filesOf = async (server: string) =>
      (await readdir(join(root, 'observability/config', server)))
        .filter((name) => name.endsWith('.yaml') && name !== 'base.yaml')
        .map((name) => name.replace('.yaml', ''))
        .sort()
    expect(await filesOf('loki')).toEqual([...variantOrder.loki].sort())
    expect(await filesOf('tempo')).toEqual([...variantOrder.tempo].sort())
    expect(await filesOf('collector')).toEqual([...variantOrder.collector].sort())
  })
})

const contract = {
  S3_ENDPOINT: 'https://store.example',
  S3_REGION: 'fsn1',
  S3_BUCKET_LOKI: 'acme-loki',
  S3_BUCKET_TEMPO: 'acme-tempo',
}
const contextOf = (env: Record<string, string>) => ({ env, readFile: () => '' })

describe('a configuration by its name', () => {
  it('needs a store only if it is on S3, and says what is missing', async () => {
    expect(await renderConfiguration('loki.local', contextOf({}))).toContain('filesystem')
    await expect(renderConfiguration('loki.s3-thanos', contextOf({}))).rejects.toThrow(
      'S3_ENDPOINT is missing',
    )
    const { S3_BUCKET_TEMPO: _, ...env } = contract
    await expect(renderConfiguration('tempo.s3', contextOf(env))).rejects.toThrow(
      'S3_BUCKET_TEMPO is not set',
    )
  })

  it('is refused for a server or a variant that there is not', async () => {
    await expect(renderConfiguration('mimir', contextOf({}))).rejects.toThrow('there is no server mimir')
    await expect(renderConfiguration('tempo.s4', contextOf({}))).rejects.toThrow('no variant s4')
  })

  it('is not written if the client cannot express the store, and a file from before is removed', async () => {
    const file = await writeConfiguration(folder, 'loki.s3-thanos', contextOf(contract))
    expect(await Bun.file(file).exists()).toBeTrue()
    const nested = contextOf({ ...contract, S3_PREFIX_LOKI: 'a/b/' })
    await expect(writeConfiguration(folder, 'loki.s3-thanos', nested)).rejects.toThrow('S3_PREFIX_LOKI must')
    expect(await Bun.file(file).exists()).toBeFalse()
    expect(await renderConfiguration('loki.s3-classic', nested)).toContain('object_prefix: a/b')
    expect(await lokiVariantFor(nested)).toBe('s3-classic')
    expect(await lokiVariantFor(contextOf(contract))).toBe('s3-thanos')
  })

  it('is rendered for Tempo even if a client of Loki cannot express the store', async () => {
    const env = { ...contract, S3_ENDPOINT: 'https://acme-loki.store.example' }
    await expect(renderConfiguration('loki.s3-thanos', contextOf(env))).rejects.toThrow('first label')
    expect(await renderConfiguration('tempo.s3', contextOf(env))).toContain('acme-tempo')
  })

  it('names the certificate of a private authority by its place in the containers, where the overlay has it', async () => {
    const [certificate = ''] = rootCertificates
    const env = { ...contract, S3_CA_FILE: '/home/operator/ca.pem' }
    for (const name of ['loki.s3-thanos', 'loki.s3-classic', 'tempo.s3']) {
      const text = await renderConfiguration(name, { env, readFile: () => certificate })
      expect(text).toMatch(/ca_(path|file): \/etc\/private-ca\.pem/)
      expect(text).not.toContain('operator')
    }
    const overlay = YAML.parse(
      await Bun.file(join(root, 'overlays/observability.private-ca.yaml')).text(),
    ) as {
      services: Record<string, { configs: { target: string }[] }>
    }
    const targets = Object.values(overlay.services).flatMap(({ configs }) =>
      configs.map(({ target }) => target),
    )
    expect(targets).toEqual(['/etc/private-ca.pem', '/etc/private-ca.pem'])
  })
})

describe('bun run observability render', () => {
  const run = (env: Record<string, string>, ...args: string[]) =>
    runCommand([process.execPath, join(root, 'observability/config/observability.ts'), ...args], {
      env: { PATH: process.env.PATH, ...env },
      cwd: root,
    })

  it('writes the recommended configurations for the store, those that variables name, or those it is given', async () => {
    const written = async (env: Record<string, string>, ...names: string[]) => {
      const { exitCode, stdout } = await run(env, 'render', '--out', folder, ...names)
      expect(exitCode).toBe(0)
      return stdout
        .trim()
        .split('\n')
        .map((file) => basename(file, '.yaml'))
    }
    expect(await written({})).toEqual(['loki.local', 'tempo.local', 'collector'])
    expect(await written(contract)).toEqual(['loki.s3-thanos', 'tempo.s3', 'collector'])
    const env = { ...contract, LOKI_CONFIG: 'loki.s3-thanos.retention' }
    expect(await written(env)).toEqual(['loki.s3-thanos.retention', 'tempo.s3', 'collector'])
    expect(await written(contract, 'tempo3.s3')).toEqual(['tempo3.s3'])
  })

  it('ends with 2 if a store is named that no server can use, and for names that it does not know', async () => {
    expect((await run({ S3_ENDPOINT: 'store' }, 'render', '--out', folder)).exitCode).toBe(2)
    const unknown = await run({}, 'render', 'loki.s4', '--out', folder)
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('loki has no variant s4') })
    expect((await run({}, 'draw')).exitCode).toBe(2)
  })
})
