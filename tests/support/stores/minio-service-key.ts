import { createHmac } from 'node:crypto'
import type { StoreConnection, StoreCredentials } from '../../../compose/servers/running-store.ts'
import { createRequestSigner } from '../../../service/object-store/s3/signed-fetch.ts'
import { userPolicy } from '../../../service/provisioning/bucket-policy.ts'
import { serviceRights } from '../../../service/provisioning/service-rights.ts'
import { registerSecret } from '../secrets.ts'
import { docsPrefix } from './service-key.ts'
import { storedZip } from './stored-zip.ts'

const policyName = 'documents-service'
const loadSecondsMax = 30

/**
 * Makes the user of a MinIO that services in tests are: with the policy that `bun run provision user-policy` prints,
 * for every bucket `test-…`. By one request, the import of users and policies that `mc admin cluster iam import` sends:
 * making them one by one encrypts each message with Argon2, which takes seconds where many do so.
 *
 * @param minio with its root keys. Of these the user's are made: a MinIO that is started again has the same.
 */
export async function minioServiceKey(minio: StoreConnection): Promise<StoreCredentials> {
  const secretOf = (label: string) => createHmac('sha256', minio.secretAccessKey).update(label).digest('hex')
  const accessKeyId = `SK${secretOf('service access key').slice(0, 18).toUpperCase()}`
  const secretAccessKey = secretOf('service secret key').slice(0, 40)
  registerSecret(secretAccessKey)
  const policy = userPolicy({ bucket: 'test-*', prefix: docsPrefix }, serviceRights)
  await importUsers(minio, {
    'policies.json': { [policyName]: policy },
    'users.json': { [accessKeyId]: { secretKey: secretAccessKey, status: 'enabled' } },
    'user_mappings.json': { [accessKeyId]: { version: 1, policy: policyName } },
  })
  return { accessKeyId, secretAccessKey }
}

/** @throws {Error} if MinIO does not take all of it. */
async function importUsers(minio: StoreConnection, entities: Record<string, object>): Promise<void> {
  await usersLoaded(minio)
  const files = Object.entries(entities).map(([name, entity]) => [
    `iam-assets/${name}`,
    JSON.stringify(entity),
  ])
  const { status, said } = await administer(
    minio,
    'PUT',
    'import-iam-v2',
    storedZip(Object.fromEntries(files)),
  )
  if (status !== 200 || Object.keys(JSON.parse(said).failed ?? {}).length > 0)
    throw new Error(`MinIO does not take the user of the service: ${status} ${said}`)
}

/**
 * MinIO serves buckets a moment before it has loaded the users that it knows, and forgets those that it is given
 * meanwhile. It lists groups when it has.
 */
async function usersLoaded(minio: StoreConnection): Promise<void> {
  const deadline = Date.now() + loadSecondsMax * 1000
  while ((await administer(minio, 'GET', 'groups')).status !== 200) {
    if (Date.now() > deadline) throw new Error(`MinIO has no users after ${loadSecondsMax} s`)
    await Bun.sleep(50)
  }
}

/** Signed and addressed like an object of a bucket that is called `minio`. */
async function administer(
  minio: StoreConnection,
  method: 'GET' | 'PUT',
  call: string,
  body?: Uint8Array<ArrayBuffer>,
) {
  const signed = await createRequestSigner({ ...minio, bucket: 'minio', connectionsMax: 1 })({
    method,
    key: `admin/v3/${call}`,
    payloadSha256: new Bun.CryptoHasher('sha256').update(body ?? '').digest('hex'),
  })
  const { headers } = signed
  const tls = minio.ca === undefined ? {} : { tls: { ca: minio.ca } }
  const answer = await fetch(signed.url, { method, headers, ...(body === undefined ? {} : { body }), ...tls })
  return { status: answer.status, said: await answer.text() }
}
