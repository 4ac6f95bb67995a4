import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomCredentials, type StoreCredentials } from '../servers/running-store.ts'
import { sharedCredentials } from './credentials-file.ts'

/** Default user and group of the images. */
const imageUser = 10001

export interface StackSecrets {
  /** Absolute path of the folder with the secret files, each mode 0600. */
  folder: string
  /** `uid:gid` of the files' owner: the containers have to run as this user to read them. */
  user: string
  /** Keys of the service; those of root never leave their files. */
  service: StoreCredentials
}

/**
 * Creates the secret files of the compose stack in `folder`, unless they exist: MinIO's root user and password, the
 * access key, secret key and ticket signing key of the service, and the keys of Loki, Tempo and the reader of MinIO's
 * metrics. Run as root, it gives them to the image's user, so that no container has to run as root.
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

/** Writes `value` (mode 0600, without a newline) unless the file exists. @returns what the file contains. */
export async function ensureSecret(path: string, value: string): Promise<string> {
  if (existsSync(path)) return (await readFile(path, 'utf8')).trimEnd()
  await writeFile(path, value, { mode: 0o600, flag: 'wx' })
  return value
}

/** Does the same as {@link ensureSecret}, and gives the file to the containers' user if this process is root. */
export async function ensureContainerSecret(path: string, value: string): Promise<string> {
  const held = await ensureSecret(path, value)
  if (process.getuid?.() === 0) await chown(path, imageUser, imageUser)
  return held
}

/**
 * Does the same as {@link ensureSecret}, for a container that runs as `user`. Root gives the file to that user. Other
 * users leave it readable for all, in a folder that only they may enter: containers see the file and not the folder.
 */
export async function ensureSecretFor(user: number, path: string, value: string): Promise<string> {
  const held = await ensureSecret(path, value)
  await (process.getuid?.() === 0 ? chown(path, user, user) : chmod(path, 0o644))
  return held
}
