import { createHmac } from 'node:crypto'
import type { StoreConnection, StoreCredentials } from '../../compose/servers/running-store.ts'
import { createRequestSigner } from '../../service/object-store/s3-request-signer.ts'
import { userPolicy } from '../../service/provisioning/bucket-policy.ts'
import { serviceRights } from '../../service/provisioning/service-rights.ts'
import { registerSecret } from './secrets.ts'
import { docsPrefix } from './service-key.ts'
import { storedZip } from './stored-zip.ts'

const policyName = 'documents-service'
/** It serves buckets a moment before it knows its users. */
const initialisedSecondsMax = 30

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
  const files = Object.entries(entities).map(([name, entity]) => [
    `iam-assets/${name}`,
    JSON.stringify(entity),
  ])
  const body = storedZip(Object.fromEntries(files))
  // Signed and addressed like an object of a bucket that is called `minio`.
  const signed = await createRequestSigner({ ...minio, bucket: 'minio', connectionsMax: 1 })({
    method: 'PUT',
    key: 'admin/v3/import-iam-v2',
    payloadSha256: new Bun.CryptoHasher('sha256').update(body).digest('hex'),
  })
  const tls = minio.ca === undefined ? {} : { tls: { ca: minio.ca } }
  const send = () => fetch(signed.url, { method: 'PUT', headers: signed.headers, body, ...tls })
  const deadline = Date.now() + initialisedSecondsMax * 1000
  let answer = await send()
  while (answer.status === 503 && Date.now() < deadline) {
    await answer.body?.cancel()
    await Bun.sleep(50)
    answer = await send()
  }
  const said = await answer.text()
  if (!answer.ok || Object.keys(JSON.parse(said).failed ?? {}).length > 0)
    throw new Error(`MinIO does not take the user of the service: ${answer.status} ${said}`)
}
