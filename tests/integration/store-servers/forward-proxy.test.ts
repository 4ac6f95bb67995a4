import { afterEach, describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../../compose/run-command.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { folderForTests } from '../../support/folder.ts'
import { callerOf } from '../../support/service/caller.ts'
import { startOtlpReceiver } from '../../support/service/otlp-receiver.ts'
import { KiB, MiB, randomDocument } from '../../support/service/sample-documents.ts'
import {
  environmentFor,
  type SpawnedService,
  type SpawnOptions,
  serviceInChild,
} from '../../support/service/service-for-tests.ts'
import { namingProxy, startForwardProxy } from '../../support/stores/forward-proxy.ts'
import { startPrivateStore } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

/** Stops it after the test, before what was given earlier. */
function stopped<Server extends { stop(): unknown }>(server: Server): Server {
  return stack.adopt(server, async () => {
    await server.stop()
  })
}

/** Starts the service and moves documents through it: kept in memory, streamed, and staged in parts. */
async function serveDocuments(options: SpawnOptions, onStarted = (_service: SpawnedService) => {}) {
  const service = stopped(await serviceInChild(options))
  onStarted(service)
  const call = await callerOf(service)
  for (const size of [KiB, 2 * MiB, 9 * MiB]) {
    const body = randomDocument(size)
    expect((await call(`bundles/of-${size}`, { method: 'PUT', body })).status).toBe(201)
    expect(await (await call(`bundles/of-${size}`)).bytes()).toEqual(body)
  }
  return service
}

/** Runs a program of ours with nothing but this environment; returns its exit code, or what it printed if that is not 0. */
async function exitOf(argv: string[], env: Record<string, string>): Promise<number | string> {
  const { exitCode, stdout, stderr } = await runCommand([process.execPath, ...argv], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    cwd: root,
  })
  return exitCode === 0 ? 0 : stdout + stderr
}

describe('an environment that names a proxy', () => {
  it('has nothing sent there: neither for the store, the issuer and the collector nor by a health check or a command', async () => {
    const proxy = stopped(await startForwardProxy())
    const backend = stopped(startOtlpReceiver())
    const env = namingProxy(proxy)
    const service = await serveDocuments({ env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: backend.url } })
    await until(() => backend.spans.length > 0 && backend.logs.length > 0)

    const { port } = new URL(service.url)
    expect(await exitOf(['service/main.ts', '--health'], { ...env, PORT: port })).toBe(0)
    const token = { DOCUMENTS_TOKEN: await service.token() }
    const put = ['put', 'README.md', 'bundles/README.md', '--url', service.url, '--tenant', 'acme']
    expect(await exitOf(['service/cli/documents/documents.ts', ...put], { ...env, ...token })).toBe(0)
    expect(await exitOf(['service/cli/scrub/scrub.ts'], { ...env, ...environmentFor(service) })).toBe(0)

    expect(proxy.requests).toEqual([])
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']
    expect(service.logs()).toContainEqual(expect.objectContaining({ event: 'config.ignored', names }))
  })

  it('has those https calls tunnelled that PROXY_FOR lists, without those to hosts of NO_PROXY', async () => {
    const names = ['store.test', 'issuer.test', 'traces.test']
    const tls = await makeServerTls(names)
    const caFile = join(await folderForTests('cloudlysis-proxy-'), 'ca.pem')
    await writeFile(caFile, tls.ca)
    const store = stopped(await startPrivateStore({ tls }))
    const backend = stopped(startOtlpReceiver())
    let jwksUrl = ''
    // The issuer and the collector of tests speak plain http.
    const front = stopped(
      Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        tls: { cert: tls.certificate, key: tls.privateKey },
        fetch: (request) =>
          request.method === 'GET' ? fetch(jwksUrl) : fetch(`${backend.url}/v1/traces`, request),
      }),
    )
    const { port: behindTls = 0 } = front
    const proxy = stopped(
      await startForwardProxy({
        'store.test:443': Number(new URL(store.endpoint).port),
        'issuer.test:443': behindTls,
        'traces.test:443': behindTls,
      }),
    )
    const env = {
      HTTPS_PROXY: proxy.url,
      NO_PROXY: 'localhost,.logs.test',
      PROXY_FOR: 'store,issuer,exporter',
      S3_ENDPOINT: 'https://store.test',
      S3_INSECURE: 'false',
      S3_CA_FILE: caFile,
      AUTH_JWKS_URL: 'https://issuer.test/keys',
      NODE_EXTRA_CA_CERTS: caFile,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.test/v1/traces',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.test/v1/logs',
      OTEL_EXPORTER_OTLP_CERTIFICATE: caFile,
    }
    const service = await serveDocuments({ store, env }, ({ issuer }) => {
      jwksUrl = issuer.jwksUrl
    })
    await until(() => backend.spans.length > 0)
    await until(() => service.printed().includes('telemetry.failing'))

    const tunnels = names.map((name) => `CONNECT ${name}:443 HTTP/1.1`)
    expect(new Set(proxy.requests)).toEqual(new Set(tunnels))
  })
})
