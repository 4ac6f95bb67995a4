import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createBucketSettings } from '../../../../../service/object-store/s3/bucket-settings.ts'
import { createS3ObjectStore } from '../../../../../service/object-store/s3/s3-object-store.ts'
import { createS3TransferSigner } from '../../../../../service/object-store/s3/s3-transfer-signer.ts'
import { folderForTests } from '../../../../support/folder.ts'

/** What the SDK would read if it were asked to, with values that change something. */
const settings = {
  AWS_USE_FIPS_ENDPOINT: 'true',
  AWS_USE_DUALSTACK_ENDPOINT: 'true',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9/elsewhere',
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9/elsewhere',
  AWS_REGION: 'eu-elsewhere-9',
  AWS_DEFAULT_REGION: 'eu-elsewhere-9',
  AWS_ACCESS_KEY_ID: 'elsewhere',
  AWS_SECRET_ACCESS_KEY: 'elsewhere-secret',
  AWS_SESSION_TOKEN: 'elsewhere-token',
  AWS_DEFAULTS_MODE: 'auto',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs',
  AWS_RETRY_MODE: 'adaptive',
  AWS_MAX_ATTEMPTS: '7',
  AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
  AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_SUPPORTED',
  AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a',
  AWS_SIGV4A_SIGNING_REGION_SET: 'eu-elsewhere-9',
  AWS_S3_USE_ARN_REGION: 'true',
  AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS: 'true',
  AWS_S3_DISABLE_EXPRESS_SESSION_AUTH: 'true',
  AWS_SDK_UA_APP_ID: 'elsewhere',
  AWS_PROFILE: 'elsewhere',
}

/** The same in a file, as `~/.aws/config` has it. */
const profile = `[profile elsewhere]
use_fips_endpoint = true
use_dualstack_endpoint = true
endpoint_url = http://127.0.0.1:9/elsewhere
region = eu-elsewhere-9
defaults_mode = auto
retry_mode = adaptive
max_attempts = 7
request_checksum_calculation = WHEN_SUPPORTED
response_checksum_validation = WHEN_SUPPORTED
auth_scheme_preference = sigv4a
s3_use_arn_region = true
sdk_ua_app_id = elsewhere
`

const before = { ...process.env }
let requests: string[]
let server: Bun.Server<undefined>

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  requests = []
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      requests.push(await described(request))
      return new Response('<Error><Code>InvalidRequest</Code></Error>', { status: 400 })
    },
  })
})

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, before)
  await server.stop(true)
})

/** Everything about a request except the time, its signature, the id of the call, and what the SDK says about itself. */
async function described(request: Request): Promise<string> {
  const url = new URL(request.url)
  const headers = [...request.headers]
    .filter(([name]) => !['x-amz-date', 'amz-sdk-invocation-id', 'user-agent'].includes(name))
    .map(([name, value]) => `${name}: ${value.replace(/\/\d{8}\/|Signature=\w+/g, '')}`)
  return [request.method, url.pathname, url.search, ...headers.sort(), await request.text()].join('\n')
}

/** What is sent and signed for every kind of call that the SDK makes for us. */
async function everything(): Promise<string[]> {
  const connection = {
    endpoint: server.url.origin,
    publicEndpoint: 'https://store.example.com',
    region: 'us-east-1',
    accessKeyId: 'documents',
    secretAccessKey: 'documents-secret',
    forcePathStyle: true,
    bucket: 'cloudlysis-docs',
    connectionsMax: 8,
  }
  const store = createS3ObjectStore(connection)
  const settings = createBucketSettings(connection)
  const signer = createS3TransferSigner(connection, () => new Date(0))
  const upload = {
    key: 'a',
    size: 1,
    contentType: 'text/plain',
    sha256: '0'.repeat(64),
    expiresInSeconds: 60,
  }
  const calls = [
    () => store.get('a'),
    () => store.put('a', new Uint8Array(1), { contentType: 'text/plain', size: 1 }),
    () => store.delete('a'),
    () => store.startMultipart('a', { contentType: 'text/plain' }),
    () => settings.read('cloudlysis-docs'),
    () => settings.putCors('cloudlysis-docs', []),
  ]
  const failures: string[] = []
  for (const call of calls)
    await call().catch((error: Error) => failures.push(`${error.name} ${error.message}`))
  const signed = [
    await signer.put(upload),
    (await signer.postForm(upload)).url,
    await signer.get({ key: 'a', contentDisposition: 'attachment', expiresInSeconds: 60 }),
  ]
  store.close()
  settings.close()
  signer.close()
  return [...requests.splice(0), ...failures, ...signed.map((each) => JSON.stringify(each))]
}

describe('the environment and the files of the AWS SDK', () => {
  it('change nothing about what is sent to the store or signed', async () => {
    const plain = await everything()
    const config = join(await folderForTests('cloudlysis-aws-'), 'config')
    await writeFile(config, profile)
    Object.assign(process.env, settings, { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: config })
    expect(await everything()).toEqual(plain)
    expect(plain.length).toBeGreaterThan(9)
  })
})
