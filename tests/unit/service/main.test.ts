import { describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderForTests } from '../../support/folder.ts'
import { registerSecret } from '../../support/secrets.ts'

const main = fileURLToPath(new URL('../../../service/main.ts', import.meta.url))

const secret = `${crypto.randomUUID()}`
registerSecret(secret)

const withoutAuth = {
  S3_ENDPOINT: 'https://store.example.com',
  S3_REGION: 'us-east-1',
  S3_ACCESS_KEY_ID: 'documents',
  S3_SECRET_ACCESS_KEY: secret,
  S3_BUCKET_DOCS: 'cloudlysis-docs',
}

const auth = {
  AUTH_ISSUER: 'https://login.example.com',
  AUTH_AUDIENCE: 'documents',
  AUTH_JWKS_URL: 'https://login.example.com/keys',
  AUTH_CLIENT_ID: 'ui',
}

async function run(env: Record<string, string>): Promise<{ code: number; stdout: string; lines: string[] }> {
  const child = Bun.spawn([process.execPath, main], { env, stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, stdout, lines: stderr.trimEnd().split('\n') }
}

describe('the service with a bad configuration', () => {
  it('exits with 78 without AUTH_*, and says so for every one of them', async () => {
    const { code, stdout, lines } = await run(withoutAuth)
    expect(code).toBe(78)
    expect(stdout).toBe('')
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'The configuration has 4 problems',
      '  AUTH_ISSUER is missing',
      '  AUTH_AUDIENCE is missing',
      '  AUTH_JWKS_URL is missing',
      '  AUTH_CLIENT_ID is missing',
    ])
  })

  it('exits with 78 on an unknown name, an unreadable file and a bad value at once, and prints no secret', async () => {
    const { code, lines } = await run({
      ...withoutAuth,
      ...auth,
      S3_SECRET: secret,
      S3_CA_FILE: '/nowhere/ca.pem',
      S3_ACCESS_KEY_ID: `${secret} x`,
    })
    expect(code).toBe(78)
    expect(lines).toEqual([
      'The configuration has 3 problems:',
      '  S3_SECRET is not known: did you mean S3_SECRET_ACCESS_KEY?',
      '  S3_ACCESS_KEY_ID must be 3–128 printable characters without a space',
      '  S3_CA_FILE names a file that cannot be read (ENOENT)',
    ])
  })

  it('exits with 78 if plain http would go to a host that cannot be resolved', async () => {
    const host = `nowhere-${crypto.randomUUID()}`
    const { code, lines } = await run({
      ...withoutAuth,
      ...auth,
      S3_ENDPOINT: `http://${host}:9000`,
      S3_INSECURE: 'true',
    })
    expect(code).toBe(78)
    expect(lines).toEqual([
      'The configuration has a problem:',
      '  S3_ENDPOINT names a host that cannot be resolved, so plain http to it is refused',
    ])
  })

  it('reads secrets from real files', async () => {
    const folder = await folderForTests('config-')
    await writeFile(join(folder, 'key'), `${secret}\n`, { mode: 0o600 })
    const { S3_SECRET_ACCESS_KEY: _inline, ...others } = withoutAuth
    const { lines } = await run({
      ...others,
      ...auth,
      S3_SECRET_ACCESS_KEY_FILE: join(folder, 'key'),
      PORT: 'x',
    })
    expect(lines).toEqual([
      'The configuration has a problem:',
      '  PORT must be a whole number from 1 to 65535',
    ])
  })
})
