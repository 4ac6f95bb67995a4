import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectStoreStack } from './object-store-stack.ts'
import { ensureContainerSecret } from './stack-secrets.ts'

export interface GateCheck {
  /** What is promised. */
  sentence: string
  /** `null` if the promise is kept, else what was seen instead. */
  check: () => Promise<string | null>
}

/**
 * The promises of the local object store, to be checked in this order against the running project. Clients
 * run in containers of its own network, with credentials from secret files.
 *
 * @param bucket the bucket of documents. @param foreignBucket one that the service must not reach.
 */
export function gateChecks(stack: ObjectStoreStack, bucket: string, foreignBucket: string): GateCheck[] {
  const secret = (name: string) => join(stack.folder, 'secrets', name)
  const right = { accessKeyId: secret('s3-access-key-id'), secretAccessKey: secret('s3-secret-access-key') }
  return [
    { sentence: 'MinIO is healthy', check: () => isHealthy(stack) },
    { sentence: 'its ports are published on 127.0.0.1 only', check: () => portsAreLoopback(stack) },
    {
      sentence: `browsers may use it on pages of ${stack.browserOrigins.join(', ')} alone`,
      check: () => browsersAreOurs(stack, bucket),
    },
    { sentence: 'the setup can be repeated', check: () => setupRepeats(stack) },
    {
      sentence: `bucket ${bucket} lists in the compose network, with the credentials from secret files`,
      check: () => expectAnswer(stack, bucket, right, 'listed'),
    },
    {
      sentence: 'a wrong secret key is refused there',
      check: () =>
        withWrongSecret((wrong) =>
          expectAnswer(stack, bucket, { ...right, secretAccessKey: wrong }, 'SignatureDoesNotMatch'),
        ),
    },
    {
      sentence: 'an unknown access key is refused there',
      check: () =>
        withWrongSecret((wrong) =>
          expectAnswer(stack, bucket, { ...right, accessKeyId: wrong }, 'InvalidAccessKeyId'),
        ),
    },
    {
      sentence: `the service's key does not reach bucket ${foreignBucket}`,
      check: () => expectAnswer(stack, foreignBucket, right, 'AccessDenied'),
    },
    {
      sentence: 'no secret stands in what Docker tells about the containers',
      check: () => inspectIsClean(stack),
    },
  ]
}

interface CredentialFiles {
  accessKeyId: string
  secretAccessKey: string
}

/** Lists a bucket from a one-shot container and returns `listed`, the store's error code, or the output. */
async function listInNetwork(
  stack: ObjectStoreStack,
  bucket: string,
  files: CredentialFiles,
): Promise<string> {
  const result = await stack.compose(['run', '--rm', '-T', '--no-deps', 'gate'], {
    files: ['compose/stacks/gate.yaml'],
    env: {
      GATE_BUCKET: bucket,
      GATE_ACCESS_KEY_ID_FILE: files.accessKeyId,
      GATE_SECRET_ACCESS_KEY_FILE: files.secretAccessKey,
    },
  })
  const lastLine = result.stdout.trimEnd().split('\n').at(-1) ?? ''
  if (result.exitCode === 0 && lastLine === '{"status":"listed"}') return 'listed'
  const code = /"Code":"(\w+)"/.exec(lastLine)?.[1]
  return code ?? `exit code ${result.exitCode}: ${result.stdout}${result.stderr}`
}

async function expectAnswer(
  stack: ObjectStoreStack,
  bucket: string,
  files: CredentialFiles,
  expected: string,
) {
  const answer = await listInNetwork(stack, bucket, files)
  return answer === expected ? null : answer
}

async function withWrongSecret<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-gate-'))
  try {
    const path = join(folder, 'wrong')
    await ensureContainerSecret(path, randomBytes(20).toString('hex'))
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function isHealthy(stack: ObjectStoreStack): Promise<string | null> {
  const { stdout, stderr } = await stack.compose(['ps', '--format', '{{.Health}}', 'minio'])
  return stdout.trim() === 'healthy' ? null : `${stdout}${stderr}`.trim() || 'it does not run'
}

async function portsAreLoopback(stack: ObjectStoreStack): Promise<string | null> {
  const { stdout } = await stack.compose(['ps', '--format', '{{.Ports}}', 'minio'])
  const published = stdout.split(',').filter((port) => port.includes('->'))
  const open = published.filter((port) => !port.trim().startsWith('127.0.0.1:'))
  return published.length > 0 && open.length === 0 ? null : stdout.trim()
}

/** As a browser asks before it sends a form (Fetch standard, "CORS-preflight fetch"). */
async function browsersAreOurs(stack: ObjectStoreStack, bucket: string): Promise<string | null> {
  const isLetIn = async (origin: string) => {
    const headers = { origin, 'access-control-request-method': 'POST' }
    const answer = await fetch(`${stack.connection.endpoint}/${bucket}`, { method: 'OPTIONS', headers })
    await answer.body?.cancel()
    return answer.headers.get('access-control-allow-origin') !== null
  }
  for (const origin of stack.browserOrigins) if (!(await isLetIn(origin))) return `${origin} is refused`
  return (await isLetIn('https://elsewhere.example')) ? 'other pages may, too' : null
}

async function setupRepeats(stack: ObjectStoreStack): Promise<string | null> {
  const { exitCode, stdout, stderr } = await stack.compose(['run', '--rm', '-T', '--no-deps', 'minio-init'])
  return exitCode === 0 && stdout.includes('object store is set up') ? null : `${stdout}${stderr}`
}

/** Environment and arguments are in there, and so is everything else that an operator sees. */
async function inspectIsClean(stack: ObjectStoreStack): Promise<string | null> {
  const told = await stack.inspect()
  if (!told.includes('/run/secrets/minio_root_password')) return 'there is nothing to look at'
  for (const name of ['minio-root-user', 'minio-root-password', 's3-access-key-id', 's3-secret-access-key']) {
    const value = await Bun.file(join(stack.folder, 'secrets', name)).text()
    if (told.includes(value)) return `${name} does`
  }
  return null
}
