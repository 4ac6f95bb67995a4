import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomCredentials, type StoreCredentials } from '../servers/running-store.ts'
import { sharedCredentials } from './credentials-file.ts'

/** User and group of the images when nobody says otherwise. */
const imageUser = 10001

export interface StackSecrets {
  /** Absolute path of the folder with the secret files, each mode 0600. */
  folder: string
  /** `uid:gid` of the files' owner, as whom the containers have to run to read them. */
  user: string
  /** The service's own key pair; root's never leaves its files. */
  service: StoreCredentials
}

/**
 * Makes the compose stack's secret files in `folder`, where they are not there yet: MinIO's root user and
 * password, the service's access key and secret key and the key of its tickets, and the keys of Loki, Tempo and whoever
 * reads MinIO's metrics. As root they are given to the image's user, so that no container has to run as root.
 */
export async function ensureStackSecrets(folder: string): Promise<StackSecrets> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const made = randomCredentials()
  await ensureContainerSecret(join(folder, 'minio-root-user'), `root-${randomBytes(8).toString('hex')}`)
  await ensureContainerSecret(join(folder, 'minio-root-password'), randomBytes(20).toString('hex'))
  const accessKeyId = await ensureContainerSecret(join(folder, 's3-access-key-id'), made.accessKeyId)
  const secretAccessKey = await ensureContainerSecret(
    join(folder, 's3-secret-access-key'),
    made.secretAccessKey,
  )
  await ensureContainerSecret(join(folder, 'ticket-signing-key'), randomBytes(36).toString('base64url'))
  for (const owner of ['loki-s3', 'tempo-s3']) {
    const path = join(folder, `${owner}-credentials`)
    await ensureSecretFor(imageUser, path, sharedCredentials(randomCredentials()))
  }
  const metrics = sharedCredentials(randomCredentials())
  await ensureContainerSecret(join(folder, 'minio-metrics-credentials'), metrics)
  const { uid, gid } = await stat(join(folder, 's3-secret-access-key'))
  return { folder, user: `${uid}:${gid}`, service: { accessKeyId, secretAccessKey } }
}

/** Writes `value` (mode 0600, without a newline) unless the file is there; returns what the file holds. */
export async function ensureSecret(path: string, value: string): Promise<string> {
  if (existsSync(path)) return (await readFile(path, 'utf8')).trimEnd()
  await writeFile(path, value, { mode: 0o600, flag: 'wx' })
  return value
}

/** As {@link ensureSecret}, readable for the containers' user where this process may give files away. */
export async function ensureContainerSecret(path: string, value: string): Promise<string> {
  const held = await ensureSecret(path, value)
  if (process.getuid?.() === 0) await chown(path, imageUser, imageUser)
  return held
}

/**
 * As {@link ensureSecret}, readable for a container that runs as `user`, whoever runs this. Only root may give
 * the file to that user. Everyone else leaves it readable for all, in a folder that nobody else may enter:
 * containers see the file and not the folder.
 */
export async function ensureSecretFor(user: number, path: string, value: string): Promise<string> {
  const held = await ensureSecret(path, value)
  await (process.getuid?.() === 0 ? chown(path, user, user) : chmod(path, 0o644))
  return held
}
