import { createHmac } from 'node:crypto'
import type { StoreConnection, StoreCredentials } from '../../../compose/servers/running-store.ts'
import { createRequestSigner } from '../../../service/object-store/s3/request-signer.ts'
import { userPolicy } from '../../../service/provisioning/bucket-policy.ts'
import { serviceRights } from '../../../service/provisioning/service-rights.ts'
import { registerSecret } from '../secrets.ts'
import { docsPrefix } from './service-key.ts'

const policyName = 'documents-service'
const loadSecondsMax = 30

/**
 * Creates the MinIO user of the services in tests, with the policy that `bun run provision user-policy` prints, for every
 * bucket `test-…`. It sends one request, the import of users and policies of `mc admin cluster iam import`: creating them
 * one by one encrypts each message with Argon2, which takes seconds when many do so at once.
 *
 * @param minio with its root keys, from which the user's keys are derived: a restarted MinIO has the same.
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
 * Waits until MinIO has loaded its users: it serves buckets a moment earlier, and forgets users that are created in the
 * meantime. It lists groups once it has.
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
  const signed = createRequestSigner({ ...minio, bucket: 'minio', connectionsMax: 1 })({
    method,
    key: `admin/v3/${call}`,
    payloadSha256: new Bun.CryptoHasher('sha256').update(body ?? '').digest('hex'),
  })
  const { headers } = signed
  const tls = minio.ca === undefined ? {} : { tls: { ca: minio.ca } }
  const answer = await fetch(signed.url, { method, headers, ...(body === undefined ? {} : { body }), ...tls })
  return { status: answer.status, said: await answer.text() }
}

/**
 * A ZIP archive of small text files, uncompressed and without times.
 *
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central header), 4.3.16 (its end).
 */
function storedZip(files: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const name = Buffer.from(path)
    const content = Buffer.from(text)
    const crc = Bun.hash.crc32(content)
    const sizes = u32(crc, content.length, content.length)
    // Version 2.0, no flags, stored, no time, 1 January 1980.
    const common = Buffer.concat([u16(20, 0, 0, 0, 0x21), sizes, u16(name.length, 0)])
    const local = Buffer.concat([u32(0x04034b50), common, name, content])
    centrals.push(Buffer.concat([u32(0x02014b50), u16(20), common, u16(0, 0, 0), u32(0), u32(offset), name]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const { length } = centrals
  const end = [u32(0x06054b50), u16(0, 0, length, length), u32(directory.length, offset), u16(0)]
  return Buffer.concat([...locals, directory, ...end])
}

function u16(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from(Uint16Array.of(value).buffer)))
}

function u32(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from(Uint32Array.of(value).buffer)))
}
