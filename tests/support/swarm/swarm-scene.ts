import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { serviceImage } from '../../../compose/images/service/pack-image.ts'
import { mustRun, runCommand } from '../../../compose/run-command.ts'
import type { RunningRgw } from '../../../compose/servers/ceph-rgw.ts'
import { freePort } from '../../../compose/servers/free-port.ts'
import type { ServerTls } from '../../../compose/servers/running-store.ts'
import { blocksOf, folderWithBun, runCommands } from '../commands/runbook-blocks.ts'
import type { ScriptRun } from '../commands/script-run.ts'
import { type IssuerForTests, startIssuerForTests } from '../issuers/issuer-for-tests.ts'
import { registerSecret } from '../secrets.ts'
import { freshBucket } from '../stores/bucket.ts'
import { makeRgwProject, type ProjectKey } from '../stores/rgw-project.ts'
import { type Relay, startRelay } from './relay.ts'
import type { SwarmEngine } from './swarm-engine.ts'
import { swarmServers } from './swarm-servers.ts'

const root = resolve(import.meta.dir, '../../..')
export const runbook = blocksOf(await Bun.file(join(root, 'docs/deployment.md')).text())

/**
 * Everything that the runbook says one needs, before its first step: a Swarm without a stack, a bucket in a project of
 * its own, an issuer, and a folder.
 */
export interface SwarmScene {
  engine: SwarmEngine
  /** With the service's key. */
  store: RunningRgw
  /** Another key of the same project, for when the first one has to go. */
  nextKey: ProjectKey
  /** Between the service and the store. */
  relay: Relay
  /** Origin of the store, by way of the relay, for containers and for this machine. */
  storeUrl: string
  bucket: string
  issuer: IssuerForTests
  /** What the runbook calls `DEPLOYMENT`. */
  folder: string
  /** Origin of the proxy on this machine. */
  url: string
  /** What everything here is signed with, its authority included. */
  tls: ServerTls
  /** PEM of the authority that everything here is signed by. */
  ca: string
  docker(...args: string[]): Promise<string>
  /** Runs commands with what the runbook says one has. */
  run(commands: string, env?: Record<string, string>): Promise<ScriptRun>
  /** Runs a block of the runbook as it stands there. */
  follow(block: string, env?: Record<string, string>): Promise<ScriptRun>
  /** Names of the blocks that were run. */
  followed: ReadonlySet<string>
  stop(): Promise<void>
}

export async function openSwarmScene(): Promise<SwarmScene> {
  const { engine, rgw, tls } = await swarmServers()
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-deployment-'))
  const [key, nextKey] = await makeRgwProject(rgw, 2)
  if (key === undefined || nextKey === undefined) throw new Error('a project without keys')
  registerSecret(key.secretAccessKey)
  registerSecret(nextKey.secretAccessKey)
  const { accessKeyId, secretAccessKey } = key
  const store = { ...rgw, accessKeyId, secretAccessKey }
  const issuer = await startIssuerForTests()
  const relay = await startRelay(engine.hostAddress, Number(new URL(store.endpoint).port))
  const storeUrl = `https://${engine.hostAddress}:${relay.port}`
  // The issuer in its tokens is on loopback, where its keys are: containers get them over https.
  const keys = Bun.serve({
    hostname: engine.hostAddress,
    port: 0,
    tls: { cert: tls.certificate, key: tls.privateKey },
    fetch: () => fetch(issuer.jwksUrl),
  })
  const { env } = engine
  const docker = (...args: string[]) => mustRun(['docker', ...args], { env })
  const httpsPort = await freePort()
  const url = `https://127.0.0.1:${httpsPort}`
  const path = `${await folderWithBun(folder)}:${process.env.PATH}`
  const bucket = await freshBucket(store)
  const keysPort = keys.port ?? 0
  await writeDeployment(folder, { store, bucket, storeUrl, tls, engine, httpsPort, issuer, keysPort })
  await docker('config', 'create', 'documents_private_ca_1', join(folder, 'ca.pem'))
  const followed = new Set<string>()
  const run: SwarmScene['run'] = async (commands, extra = {}) => {
    const tokenFile = join(folder, 'token')
    await Bun.write(tokenFile, `${await issuer.token()}\n`)
    return runCommands(commands, {
      ...{ PATH: path, HOME: folder, DEPLOYMENT: folder, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      ...{ CURL_CA_BUNDLE: join(folder, 'ca.pem') },
      ...{ DOCKER_HOST: env.DOCKER_HOST ?? '', DOCKER_CONFIG: env.DOCKER_CONFIG ?? '' },
      ...{ DOCUMENTS_URL: url, DOCUMENTS_TOKEN_FILE: tokenFile, DOCUMENTS_TENANT: 'acme' },
      ...extra,
    })
  }
  return {
    ...{ engine, store, nextKey, relay, storeUrl, bucket, issuer, folder, url, tls, docker },
    ca: tls.ca,
    run,
    followed,
    async follow(block, extra = {}) {
      const text = runbook.get(block)
      if (text === undefined) throw new Error(`the runbook has no block ${block}`)
      followed.add(block)
      return run(`${runbook.get('setup')}\n${text}`, extra)
    },
    async stop() {
      await engine.empty()
      await relay.stop()
      await keys.stop(true)
      await issuer.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Parts {
  store: RunningRgw
  bucket: string
  storeUrl: string
  tls: ServerTls
  engine: SwarmEngine
  issuer: IssuerForTests
  httpsPort: number
  keysPort: number
}

/** The folder that the runbook describes. */
async function writeDeployment(folder: string, parts: Parts): Promise<void> {
  const { store, tls, engine, issuer } = parts
  await chmod(folder, 0o700)
  const names = join(folder, 'names.yaml')
  const files = [
    ...['compose/stacks/documents.yaml', 'overlays/documents.swarm.yaml', 'overlays/proxy.haproxy.yaml'],
    ...['overlays/documents.private-ca.yaml', names],
  ]
  const settings = {
    STACK_FILES: `"${files.join(' ')}"`,
    STACK_FLAGS: '"--resolve-image never"',
    DOCUMENTS_IMAGE: serviceImage,
    DOCUMENTS_HEALTH_INTERVAL: '2s',
    DOCUMENTS_MONITOR: '4s',
    HTTPS_PORT: parts.httpsPort,
    PUBLIC_URL: `https://127.0.0.1:${parts.httpsPort}`,
    S3_ENDPOINT: parts.storeUrl,
    S3_PUBLIC_ENDPOINT: store.endpoint,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: store.forcePathStyle,
    S3_BUCKET_DOCS: parts.bucket,
    AUTH_ISSUER: issuer.issuer,
    AUTH_AUDIENCE: issuer.audience,
    AUTH_JWKS_URL: `https://issuer:${parts.keysPort}${new URL(issuer.jwksUrl).pathname}`,
    AUTH_CLIENT_ID: issuer.clientId,
    S3_KEY_VERSION: 1,
    TLS_VERSION: 1,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  await Bun.write(join(folder, 'stack.env'), lines.join(''))
  await Bun.write(join(folder, 's3-access-key-id'), store.accessKeyId)
  await Bun.write(join(folder, 's3-secret-access-key'), store.secretAccessKey)
  await Bun.write(join(folder, 'tls-certificate.pem'), tls.certificate + tls.privateKey)
  await Bun.write(join(folder, 'ca.pem'), tls.ca)
  await Bun.write(names, namesOverlay(engine.hostAddress))
}

/** What a name server says elsewhere; and clients of the tests may join the network. */
function namesOverlay(address: string): string {
  return `version: "3.8"
services:
  documents: { extra_hosts: ["store:${address}", "issuer:${address}"] }
networks:
  inside: { attachable: true }
`
}

/** What a container has printed. */
export async function printedBy(scene: SwarmScene, container: string): Promise<string> {
  const { stdout, stderr } = await runCommand(['docker', 'logs', container], { env: scene.engine.env })
  return stdout + stderr
}
