import { cp, mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { packServiceImage } from '../../../compose/images/service/pack-image.ts'
import { mustRun, runCommand } from '../../../compose/run-command.ts'
import { composeCommand, type DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { freePort } from '../../../compose/servers/free-port.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import type { ObjectStoreStack } from '../../../compose/stacks/object-store-stack.ts'
import { type IssuerForTests, startIssuerForTests } from '../issuers/issuer-for-tests.ts'
import { keepPrinted } from '../printed.ts'
import { blocksOf, runCommands } from './runbook-blocks.ts'
import type { ScriptRun } from './script-run.ts'

const readme = resolve(import.meta.dir, '../../../overlays/README.md')

/** The document service by `overlays/documents.compose.yaml`, next to the local object store. */
export interface ComposedDocuments {
  url: string
  issuer: IssuerForTests
  /** Id of its container. */
  container: string
  /** Another address of this machine than loopback. */
  otherAddress: string
  /** Removes the container and its image, and stops the issuer. */
  stop(): Promise<void>
}

/** Brings it up by the steps of the README, as they stand there. */
export async function upComposedDocuments(
  { folder, settings }: ObjectStoreStack,
  env: DockerEnvironment,
): Promise<ComposedDocuments> {
  const project = settings.COMPOSE_PROJECT_NAME
  const image = `cloudlysis/documents:${project}`
  await packServiceImage(image, env)
  const format = '{{(index .IPAM.Config 0).Gateway}}'
  const network = ['docker', 'network', 'inspect', '--format', format, `${project}_default`]
  const otherAddress = (await mustRun(network, { env })).trim()
  const [issuer, tls, port] = await Promise.all([
    startIssuerForTests(),
    makeServerTls([otherAddress]),
    freePort(),
  ])
  // Its keys are on loopback, which in a container is the container: over https for every other one.
  const keys = Bun.serve({
    hostname: otherAddress,
    port: 0,
    tls: { cert: tls.certificate, key: tls.privateKey },
    fetch: () => fetch(issuer.jwksUrl),
  })
  const stop = async () => {
    await keys.stop(true)
    await issuer.stop()
  }
  try {
    await Bun.write(join(folder, 'ca.pem'), tls.ca)
    await Bun.write(join(folder, 'ca.yaml'), authorityOverlay(join(folder, 'ca.pem')))
    const { exitCode, err } = await followReadme(join(folder, 'ca.yaml'), {
      ...(await withCompose(folder, env)),
      ...{ STACK: folder, MINIO_API_PORT: settings.MINIO_API_PORT },
      ...{ DOCUMENTS_IMAGE: image, DOCUMENTS_PORT: String(port), DOCUMENTS_HEALTH_INTERVAL: '1s' },
      ...{ AUTH_ISSUER: issuer.issuer, AUTH_AUDIENCE: issuer.audience, AUTH_CLIENT_ID: issuer.clientId },
      AUTH_JWKS_URL: `https://${otherAddress}:${keys.port}${new URL(issuer.jwksUrl).pathname}`,
    })
    const label = (name: string, value = '') => ['--filter', `label=com.docker.compose.${name}=${value}`]
    const list = [
      'docker',
      'ps',
      '--all',
      '--quiet',
      ...label('project', project),
      ...label('service', 'documents'),
    ]
    const container = (await mustRun(list, { env })).trim()
    if (exitCode !== 0) throw new Error(`${err}\n${await logsOf(container, env)}`)
    return {
      ...{ url: `http://127.0.0.1:${port}`, issuer, container, otherAddress },
      async stop() {
        keepPrinted('documents', await logsOf(container, env))
        await runCommand(['docker', 'rm', '--force', container], { env })
        await runCommand(['docker', 'rmi', image], { env })
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One file more lets the service trust the issuer of this test. */
async function followReadme(extraFile: string, env: DockerEnvironment): Promise<ScriptRun> {
  const blocks = blocksOf(await Bun.file(readme).text())
  const [settings, up] = [blocks.get('settings'), blocks.get('up')]
  if (settings === undefined || up === undefined || blocks.size !== 2)
    throw new Error('the README has other steps')
  const defined = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return runCommands(`${settings}\n${up.replace(' up ', ' -f "$EXTRA_FILE" up ')}`, {
    ...Object.fromEntries(defined),
    EXTRA_FILE: extraFile,
  })
}

/** An environment in which `docker compose` is the one that all tests use. */
async function withCompose(folder: string, env: DockerEnvironment): Promise<DockerEnvironment> {
  const [command = '', ...rest] = await composeCommand(env)
  if (rest.length > 0) return env
  const config = join(folder, 'docker-config')
  if (env.DOCKER_CONFIG !== undefined) await cp(env.DOCKER_CONFIG, config, { recursive: true })
  await mkdir(join(config, 'cli-plugins'), { recursive: true })
  await symlink(command, join(config, 'cli-plugins', 'docker-compose'))
  return { ...env, DOCKER_CONFIG: config }
}

function authorityOverlay(file: string): string {
  return `services:
  documents:
    environment: { NODE_EXTRA_CA_CERTS: /etc/issuer-ca.pem }
    volumes: [${JSON.stringify(`${file.replaceAll('$', '$$$$')}:/etc/issuer-ca.pem:ro`)}]
`
}

async function logsOf(container: string, env: DockerEnvironment): Promise<string> {
  const { stdout, stderr } = await runCommand(['docker', 'logs', container], { env })
  return stdout + stderr
}
