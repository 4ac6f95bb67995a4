import { afterAll, describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../compose/servers/free-port.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { keysOf } from '../../../service/authn/issuer-keys.ts'
import { probeStore } from '../../../service/object-store/probe/probe.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { createLokiQuery } from '../../../service/telemetry/loki-query.ts'
import { createOtlpSender } from '../../../service/telemetry/otlp-sender.ts'
import { runScript } from '../../support/commands/script-run.ts'
import { folderForTests } from '../../support/folder.ts'
import { validate } from '../../support/observability/validate-program.ts'
import { startForwardProxy } from '../../support/stores/forward-proxy.ts'

const [valid, expired] = await Promise.all([makeServerTls(), makeServerTls([], -1)])
const [here, elsewhere, past] = [
  listen('127.0.0.1', valid),
  // Its certificate is for 127.0.0.1.
  listen('127.0.0.2', valid),
  listen('127.0.0.1', expired),
]
const proxy = await startForwardProxy()
const folder = await folderForTests('cloudlysis-causes-')

afterAll(async () => {
  for (const server of [here, elsewhere, past]) await server.stop(true)
  proxy.stop()
})

function listen(hostname: string, { certificate: cert, privateKey: key }: typeof valid) {
  return Bun.serve({
    hostname,
    port: 0,
    tls: { cert, key },
    fetch: () => new Response(null, { status: 403 }),
  })
}

/** What each way of calling a store at this address says about it. */
async function saidAbout(endpoint: string, trust: { ca?: string; proxy?: string } = {}) {
  const keys = { accessKeyId: 'documents', secretAccessKey: 'documents-secret' }
  const bucket = 'cloudlysis-docs'
  const connection = {
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true, connectionsMax: 8, bucket },
    ...keys,
    ...trust,
  }
  const store = createS3ObjectStore(connection)
  const settings = createBucketSettings(connection)
  const { findings } = await probeStore(connection, 'docs/')
  const thrown = await Promise.all([
    store.head('key').catch((error: Error) => error.message),
    settings.read(bucket).catch((error: Error) => error.message),
  ])
  store.close()
  settings.close()
  return [findings[0]?.seen ?? '', ...thrown]
}

async function expectCause(said: Promise<unknown[]>, cause: string): Promise<void> {
  for (const each of await said) expect(each).toEndWith(`${cause})`)
}

describe('a store that cannot be reached', () => {
  it('is said to have a certificate of an authority that is not trusted', async () => {
    const cause = 'its certificate comes from an authority that is not trusted here'
    await expectCause(saidAbout(here.url.origin), cause)
  })

  it('is said to have a certificate for other host names', async () => {
    const cause = 'ERR_TLS_CERT_ALTNAME_INVALID: its certificate is for other host names'
    await expectCause(saidAbout(elsewhere.url.origin, valid), cause)
  })

  it('is said to have a certificate that has expired', async () => {
    await expectCause(saidAbout(past.url.origin, expired), 'CERT_HAS_EXPIRED: its certificate has expired')
  })

  it('is said not to listen, to have an unknown name, or to speak no TLS', async () => {
    const closed = `http://127.0.0.1:${await freePort()}`
    await expectCause(saidAbout(closed), 'ECONNREFUSED: nothing listens on that port')
    await expectCause(saidAbout('https://store.invalid'), 'ENOTFOUND: its host name is unknown')
    const plain = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const said = saidAbout(plain.url.origin.replace('http:', 'https:'))
    await expectCause(said, 'EPROTO: it does not speak TLS on that port')
    await plain.stop(true)
  })

  it('is said to be refused by the proxy', async () => {
    const cause = 'ERR_PROXY_TUNNEL: the proxy refused to open a tunnel to it'
    await expectCause(saidAbout('https://store.test', { proxy: proxy.url }), cause)
  })
})

describe('NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment', () => {
  it('switches off no check of a certificate: neither of the store, nor of the issuer, nor of the collector, nor of the audit', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const url = here.url.origin
    const sent = await createOtlpSender({
      url,
      headers: {},
      protocol: 'http/json',
      timeoutMilliseconds: 500,
    })(new Uint8Array())
    const keys = keysOf({ jwksUrl: url })
    const key = async () => keys({ alg: 'ES256', kid: 'key' }, { payload: '', signature: '' })
    const codeOf = ({ cause }: Error) => (cause as { code?: unknown }).code
    const now = new Date()
    const range = { from: now, before: now, limit: 1, signal: AbortSignal.timeout(30_000) }
    const asked = createLokiQuery({ url, headers: {}, proxy: undefined }).lines('{}', range)
    await expect(asked).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    const found = await Promise.all([key().catch(codeOf), saidAbout(url)])
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    const code = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    expect(sent).toMatchObject({ taken: false, why: code })
    expect(found).toEqual([code, Array.from({ length: 3 }, () => expect.stringContaining(code))])
  })
})

describe('doctor, provision --verify and validate', () => {
  const env = {
    S3_ENDPOINT: past.url.origin,
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY_ID: 'documents',
    S3_SECRET_ACCESS_KEY: 'documents-secret',
    S3_FORCE_PATH_STYLE: 'true',
    S3_BUCKET_DOCS: 'cloudlysis-docs',
    S3_BUCKET_TEMPO: 'cloudlysis-tempo',
    S3_CA_FILE: join(folder, 'ca.pem'),
    // Switches off no check.
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  }

  /** What `validate` prints about a Tempo that says that it is ready. */
  async function validatedAgainst(variables: Record<string, string>): Promise<string> {
    const tempo = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ready') })
    const against = ['tempo', '--against', `tempo=${tempo.url.origin}`]
    const { stdout } = await validate([...against, '--evidence', join(folder, 'evidence')], variables)
    await tempo.stop(true)
    return stdout
  }

  it('say why the store cannot be reached', async () => {
    await writeFile(env.S3_CA_FILE, expired.ca)
    const doctor = await runScript('doctor', [], env)
    expect(doctor.out).toContain('CERT_HAS_EXPIRED')
    expect(doctor.exitCode).toBe(3)
    const verify = await runScript('provision', ['--verify'], env)
    expect(verify.out).toContain(
      '✗ read an object works: no answer (CERT_HAS_EXPIRED: its certificate has expired)',
    )
    expect(await validatedAgainst(env)).toContain(
      'unavailable (CERT_HAS_EXPIRED: its certificate has expired)',
    )
  })

  it('say that the calls go through a proxy', async () => {
    const proxied = { ...env, S3_ENDPOINT: 'https://store.test', PROXY_FOR: 'store', HTTPS_PROXY: proxy.url }
    for (const [name, args] of [
      ['doctor', []],
      ['provision', ['--verify']],
    ] as const) {
      const { out, err } = await runScript(name, args, proxied)
      expect(err).toContain('through the proxy of the environment, as PROXY_FOR says\n')
      expect(out).toContain('ERR_PROXY_TUNNEL')
    }
    expect(await validatedAgainst(proxied)).toContain('ERR_PROXY_TUNNEL')
  })
})
