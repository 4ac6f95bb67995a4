import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { ensureObjectStoreImage } from '../images/object-store/image.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'
import { originList, type StoreConnection } from '../servers/running-store.ts'
import { type ComposeProject, openComposeProject, writeSettings } from './compose-project.ts'
import { ensureStackSecrets } from './stack-secrets.ts'

export interface StackOptions {
  /** Absolute path of the folder for `.env` and `secrets/`. */
  folder: string
  /** Compose project: names the containers, the network and the volumes. */
  project: string
  /** Ports on 127.0.0.1. */
  apiPort: number
  consolePort: number
  /** Origins whose pages may use the store (CORS); `*` is a wildcard. Default: none. */
  browserOrigins?: readonly string[]
  /** Environment of the `docker` command, with variables of the compose files. */
  env: DockerEnvironment
  onProgress: OnProgress
}

/** The compose project of the object store, whether it runs or not. */
export interface ObjectStoreStack extends ComposeProject {
  /** With the keys of the service, not those of root. */
  connection: StoreConnection
  consoleUrl: string
}

/**
 * Brings the object store up with Compose and waits until it is healthy and set up (buckets, lifecycle, the
 * keys of the service, Loki and Tempo). Can be repeated.
 *
 * @throws {CommandError} if the engine or a container fails. @throws {ServerBuildError} if something has to be
 *   built and cannot be.
 */
export async function upObjectStore(options: StackOptions): Promise<ObjectStoreStack> {
  await describeObjectStore(options)
  const stack = await openObjectStoreStack(options.folder, options.env, options.onProgress)
  options.onProgress('starting the containers')
  await stack.must(['up', '--detach', '--wait', 'minio'])
  await stack.must(['run', '--rm', '-T', '--no-deps', 'minio-init'])
  return stack
}

/** Creates the image, the secrets and the settings of the object store; starts nothing. */
export async function describeObjectStore(options: StackOptions): Promise<void> {
  const secrets = await ensureStackSecrets(join(options.folder, 'secrets'))
  const image = await ensureObjectStoreImage(options.env, options.onProgress)
  await writeSettings(options.folder, {
    COMPOSE_PROJECT_NAME: options.project,
    OBJECT_STORE_IMAGE: image,
    OBJECT_STORE_USER: secrets.user,
    SECRETS_FOLDER: secrets.folder,
    MINIO_API_PORT: String(options.apiPort),
    MINIO_CONSOLE_PORT: String(options.consolePort),
    MINIO_API_CORS_ALLOW_ORIGIN: originList(options.browserOrigins),
  })
}

/**
 * Returns the project that {@link upObjectStore} described in `folder`; starts nothing.
 *
 * @throws {Error} if nothing was described there.
 */
export async function openObjectStoreStack(
  folder: string,
  env: DockerEnvironment,
  onProgress?: OnProgress,
): Promise<ObjectStoreStack> {
  const project = await openComposeProject(folder, ['compose/stacks/object-store.yaml'], env, onProgress)
  const secrets = await ensureStackSecrets(join(folder, 'secrets'))
  return {
    ...project,
    connection: {
      kind: 'minio',
      endpoint: `http://127.0.0.1:${project.settings.MINIO_API_PORT}`,
      region: 'us-east-1',
      ...secrets.service,
      forcePathStyle: true,
    },
    consoleUrl: `http://127.0.0.1:${project.settings.MINIO_CONSOLE_PORT}`,
  }
}
