import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreCredentials } from '../servers/running-store.ts'

/** The readers of the file disagree about other characters: for some, `#` or `;` ends a value. */
const unambiguousKey = /^[A-Za-z0-9/+=._~:@-]+$/

/**
 * Returns keys in the form of the AWS shared credentials file. Both clients of Loki and that of Tempo read the file that
 * AWS_SHARED_CREDENTIALS_FILE names.
 *
 * @throws {Error} for a key that they would not all read alike; the message does not contain the key.
 */
export function sharedCredentials({ accessKeyId, secretAccessKey }: StoreCredentials): string {
  if (![accessKeyId, secretAccessKey].every((key) => unambiguousKey.test(key))) {
    throw new Error('keys in a credentials file may have letters, digits and /+=._~:@- only')
  }
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
}

/**
 * Writes {@link sharedCredentials} so that only the file's owner may read it.
 *
 * @returns its path: `s3-credentials` in `folder`.
 * @throws {Error} as {@link sharedCredentials} does.
 */
export async function writeCredentialsFile(folder: string, keys: StoreCredentials): Promise<string> {
  const path = join(folder, 's3-credentials')
  await writeFile(path, sharedCredentials(keys), { mode: 0o600 })
  // A file that already existed has kept its mode.
  await chmod(path, 0o600)
  return path
}

/** Returns the keys in what {@link sharedCredentials} writes. @throws {Error} if one is missing. */
export function keysIn(credentials: string): StoreCredentials {
  const value = (name: string) => new RegExp(`^${name} *= *(\\S+)$`, 'm').exec(credentials)?.[1]
  const [accessKeyId, secretAccessKey] = [value('aws_access_key_id'), value('aws_secret_access_key')]
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey }
  throw new Error('not a file of keys in the form of AWS')
}
