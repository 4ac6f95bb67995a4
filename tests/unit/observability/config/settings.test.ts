import { describe, expect, it } from 'bun:test'
import { rootCertificates } from 'node:tls'
import {
  type ObservabilitySettings,
  observabilitySettings,
  type SettingsOptions,
} from '../../../../observability/config/settings.ts'
import { ConfigError } from '../../../../service/config/config.ts'
import type { Environment } from '../../../../service/config/parse.ts'
import { fileReader } from '../../../support/service/config-under-test.ts'

/** The least that is valid: no keys, and no bucket of documents. */
const enough: Environment = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_BUCKET_LOKI: 'acme-loki',
  S3_BUCKET_TEMPO: 'acme-tempo',
}

const local: Environment = {
  S3_ENDPOINT: 'http://minio:9000',
  S3_REGION: 'us-east-1',
  S3_INSECURE: 'true',
  S3_FORCE_PATH_STYLE: 'true',
}

const [certificate = ''] = rootCertificates

const readFile = fileReader({
  '/ca/store.pem': certificate,
  'ca/store.pem': certificate,
  '/ca/other.txt': 'hello',
})

function settings(
  changes: Environment = {},
  lokiClient?: SettingsOptions['lokiClient'],
): Promise<ObservabilitySettings> {
  const options = { readFile, resolveHost: async () => ['10.0.3.7'], lokiClient }
  return observabilitySettings({ ...enough, ...changes }, options)
}

/** Returns the problems of an environment, none if it is accepted. */
async function problemsOf(changes: Environment, lokiClient?: 'thanos' | 'classic'): Promise<string[]> {
  try {
    await settings(changes, lokiClient)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ variable, problem }) => `${variable} ${problem}`)
  }
}

describe('observabilitySettings', () => {
  it('returns the settings of the contract in the terms of the servers', async () => {
    const store = {
      endpoint: 'fsn1.your-objectstorage.com',
      region: 'fsn1',
      insecure: false,
      forcePathStyle: false,
      caFile: null,
    }
    expect(await settings()).toEqual({
      loki: { ...store, bucket: 'acme-loki', prefix: 'loki', client: 'thanos' },
      tempo: { ...store, bucket: 'acme-tempo', prefix: 'tempo' },
    })
  })

  it('keeps the port, and accepts plain http for a private address', async () => {
    const { tempo } = await settings({ ...local, S3_PREFIX_TEMPO: 'traces/one/' })
    expect(tempo).toMatchObject({
      endpoint: 'minio:9000',
      insecure: true,
      forcePathStyle: true,
      prefix: 'traces/one',
    })
  })

  it('returns null for a server without a bucket', async () => {
    const { loki, tempo } = await settings({ S3_BUCKET_LOKI: undefined })
    expect(loki).toBeNull()
    expect(tempo?.bucket).toBe('acme-tempo')
  })

  it('takes the thanos client for a prefix of one segment and the classic one for others', async () => {
    expect((await settings({ S3_PREFIX_LOKI: 'logs-1/' })).loki?.client).toBe('thanos')
    expect((await settings({ S3_PREFIX_LOKI: 'acme/logs/' })).loki?.client).toBe('classic')
    expect((await settings({ S3_PREFIX_LOKI: 'acme_logs/' })).loki?.client).toBe('classic')
    expect((await settings({ S3_PREFIX_LOKI: 'logs/' }, 'classic')).loki?.client).toBe('classic')
  })

  it('refuses a prefix that the chosen client cannot express', async () => {
    const problem =
      "S3_PREFIX_LOKI must be one segment of digits, letters and hyphens for Loki's thanos client: only its classic client (s3-classic) takes others"
    expect(await problemsOf({ S3_PREFIX_LOKI: 'acme/logs/' }, 'thanos')).toEqual([problem])
    expect(await problemsOf({ S3_PREFIX_LOKI: 'acme.logs/' }, 'thanos')).toEqual([problem])
    expect(await problemsOf({ S3_PREFIX_LOKI: 'acme-logs/' }, 'thanos')).toEqual([])
    expect(await problemsOf({ S3_PREFIX_LOKI: 'acme/logs/' }, 'classic')).toEqual([])
  })

  it('refuses no prefix of a Loki without a bucket', async () => {
    expect(await problemsOf({ S3_BUCKET_LOKI: undefined }, 'thanos')).toEqual([])
  })

  it('refuses a bucket that the thanos client finds in the endpoint', async () => {
    const changes = { S3_ENDPOINT: 'https://acme-loki.store.example' }
    expect(await problemsOf(changes)).toEqual([
      "S3_BUCKET_LOKI must not be the first label of S3_ENDPOINT's host: Loki's thanos client refuses that",
    ])
    expect(await problemsOf(changes, 'classic')).toEqual([])
    expect(await problemsOf({ S3_ENDPOINT: 'https://acme-loki-2.store.example' })).toEqual([])
  })

  it('refuses to share the prefix of the documents', async () => {
    const documents = { S3_BUCKET_DOCS: 'acme-loki' }
    expect(await problemsOf({ ...documents, S3_PREFIX_LOKI: 'docs/' })).toEqual([
      'S3_PREFIX_LOKI and S3_PREFIX_DOCS share a bucket and contain each other: choose separate prefixes',
    ])
    expect(await problemsOf(documents)).toEqual([])
  })

  it('refuses an empty prefix: Tempo would take every folder of the bucket for a tenant', async () => {
    expect(await problemsOf({ S3_PREFIX_TEMPO: '' })).toEqual([
      'S3_PREFIX_TEMPO is empty: set it or leave it out',
    ])
    expect((await problemsOf({ S3_PREFIX_TEMPO: '/' }))[0]).toStartWith(
      'S3_PREFIX_TEMPO must be 1–8 segments',
    )
  })

  it('refuses virtual-hosted style for an IP address', async () => {
    const address = { S3_ENDPOINT: 'http://127.0.0.1:9000', S3_INSECURE: 'true' }
    const problem =
      'S3_FORCE_PATH_STYLE must be true: a bucket cannot be put before the IP address in S3_ENDPOINT'
    expect(await problemsOf(address)).toEqual([problem])
    expect(await problemsOf({ ...address, S3_ENDPOINT: 'http://[::1]:9000' })).toEqual([problem])
    expect(await problemsOf({ ...address, S3_FORCE_PATH_STYLE: 'true' })).toEqual([])
  })

  it('refuses virtual-hosted style for a bucket with a dot over https', async () => {
    const dotted = { S3_BUCKET_TEMPO: 'acme.tempo' }
    expect(await problemsOf(dotted)).toEqual([
      'S3_FORCE_PATH_STYLE must be true: S3_BUCKET_TEMPO has a dot, and no certificate is good for it before the host of S3_ENDPOINT',
    ])
    expect(await problemsOf({ ...dotted, S3_FORCE_PATH_STYLE: 'true' })).toEqual([])
  })

  it('takes a private authority by the absolute path of its file', async () => {
    expect((await settings({ S3_CA_FILE: '/ca/store.pem' })).loki?.caFile).toBe('/ca/store.pem')
    expect(await problemsOf({ S3_CA_FILE: 'ca/store.pem' })).toEqual([
      'S3_CA_FILE must be an absolute path for Loki and Tempo, which run in folders of their own',
    ])
    expect(await problemsOf({ S3_CA_FILE: '/ca/other.txt' })).toEqual([
      'S3_CA_FILE names a file that is not PEM certificates',
    ])
  })

  it('reports all problems at once, the rules of the contract and its own', async () => {
    const problems = await problemsOf(
      {
        S3_ENDPOINT: 'https://store.example/path',
        S3_REGION: undefined,
        S3_BUCKET_TEMPO: 'Traces',
        S3_PREFIX_LOKI: 'acme/logs/',
        S3_PREFFIX_TEMPO: 'tempo/',
        S3_CA_FILE: '/ca/none.pem',
      },
      'thanos',
    )
    expect(problems.map((line) => line.split(' ')[0])).toEqual([
      'S3_PREFFIX_TEMPO',
      'S3_ENDPOINT',
      'S3_REGION',
      'S3_BUCKET_TEMPO',
      'S3_CA_FILE',
      'S3_PREFIX_LOKI',
    ])
  })

  it('reads neither keys nor their files', async () => {
    const unreadable = { S3_ACCESS_KEY_ID_FILE: '/secrets/none', S3_SECRET_ACCESS_KEY: 'x' }
    expect(await problemsOf(unreadable)).toEqual([])
    expect(JSON.stringify(await settings({ S3_SECRET_ACCESS_KEY: 'do-not-show-me' }))).not.toContain(
      'show-me',
    )
  })

  it('ignores variables that do not concern the store', async () => {
    expect(await problemsOf({ PORT: 'x', AUTH_ISSUER: 'x', OTEL_TRACES_SAMPLER: 'x' })).toEqual([])
  })
})
