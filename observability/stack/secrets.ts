import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DockerEnvironment } from '../../compose/servers/docker-engine.ts'
import { keysIn, sharedCredentials } from '../../compose/stacks/credentials-file.ts'
import { ensureSecretFor } from '../../compose/stacks/stack-secrets.ts'
import { ConfigError } from '../../service/config/config.ts'
import { readVariables } from '../../service/config/parse.ts'
import { variables } from '../../service/config/variables.ts'
import { minioMetricsToken } from '../prometheus/minio-metrics-token.ts'
import type { Overlay } from './overlays.ts'

/** Users of the images that read these secrets. */
const lokiAndTempo = 10001
const prometheus = 65534
const grafana = 472

/**
 * Creates the secret files in `folder` that the chosen overlays need in addition to those of the object store, unless
 * they exist.
 *
 * @throws {ConfigError} if the keys of a store are needed that is not part of the stack, and there is neither their file
 *   nor the variables of the configuration contract.
 */
export async function ensureObservabilitySecrets(
  folder: string,
  overlays: readonly Overlay[],
  env: DockerEnvironment,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const minioMetrics = join(folder, 'minio-metrics-credentials')
  if (overlays.includes('metrics.prometheus') && existsSync(minioMetrics)) {
    const token = join(folder, 'minio-metrics-token')
    // Always replaced: it is derived from the keys, which may have changed.
    await rm(token, { force: true })
    await ensureSecretFor(
      prometheus,
      token,
      await minioMetricsToken(keysIn(await readFile(minioMetrics, 'utf8'))),
    )
  }
  if (overlays.includes('dashboards.grafana')) {
    await ensureSecretFor(grafana, join(folder, 'grafana-admin-password'), randomBytes(20).toString('hex'))
  }
  if (overlays.some((overlay) => overlay.endsWith('.s3-hetzner'))) {
    const keys = join(folder, 'hetzner-s3-credentials')
    await ensureSecretFor(lokiAndTempo, keys, existsSync(keys) ? '' : credentialsFrom(env, keys))
  }
}

function credentialsFrom(env: DockerEnvironment, path: string): string {
  const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = variables
  const { values } = readVariables({ S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY }, env, {
    readFile: (file) => readFileSync(file, 'utf8'),
  })
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return sharedCredentials({ accessKeyId, secretAccessKey })
  }
  const problem = `is needed with S3_SECRET_ACCESS_KEY (each also as …_FILE), since ${path} does not exist yet`
  throw new ConfigError([{ variable: 'S3_ACCESS_KEY_ID', problem }])
}
