import { expect } from 'bun:test'
import { rootCertificates } from 'node:tls'
import type { ResolveHost } from '../../../service/config/checks.ts'
import { type Config, ConfigError, parseConfig } from '../../../service/config/config.ts'
import type { Environment } from '../../../service/config/parse.ts'

export const secretKey = `secret-${crypto.randomUUID()}`

/** Only what is required, and right. */
export const enough: Environment = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_ACCESS_KEY_ID: 'AKEXAMPLE',
  S3_SECRET_ACCESS_KEY: secretKey,
  S3_BUCKET_DOCS: 'cloudlysis-docs',
  AUTH_ISSUER: 'https://login.example.com/',
  AUTH_AUDIENCE: 'documents',
  AUTH_JWKS_URL: 'https://login.example.com/keys',
  AUTH_CLIENT_ID: 'ui',
}

/** A certificate that is valid PEM, whatever it certifies. */
export const [certificate = ''] = rootCertificates

const files: Readonly<Record<string, string>> = {
  '/secrets/key': `${secretKey}\n`,
  '/secrets/key-crlf': `${secretKey}\r\n`,
  '/secrets/key-two-newlines': `${secretKey}\n\n`,
  '/secrets/id': 'AKFROMFILE',
  '/secrets/nothing': '\n',
  '/secrets/headers': `authorization=Bearer%20${secretKey}\n`,
  '/ca/good.pem': `of the store\n${certificate}\n${certificate}\n`,
  '/ca/broken.pem': certificate.replaceAll('M', 'A'),
  '/ca/other.txt': 'hello',
}

const readFile = fileReader(files)

/** Returns a function that reads these files and no others. @throws {Error} with the code ENOENT */
export function fileReader(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const content = files[path]
    if (content !== undefined) return content
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
  }
}

const hosts: Readonly<Record<string, readonly string[]>> = {
  minio: ['10.0.3.7'],
  store6: ['fd00::7', '::1'],
  here: ['127.0.1.1'],
  office: ['192.168.1.2', '172.31.255.255'],
  edge: ['172.32.0.1'],
  split: ['10.0.0.1', '93.184.216.34'],
  metadata: ['169.254.169.254'],
  mapped: ['::ffff:93.184.216.34'],
}
const resolveHost: ResolveHost = async (host) => hosts[host] ?? Promise.reject(new Error('ENOTFOUND'))

/** Parses the required variables with these changes. */
export function parse(changes: Environment = {}): Promise<Config> {
  return parseConfig({ ...enough, ...changes }, readFile, resolveHost)
}

/** Returns the lines of the message, without its heading; empty where the environment is accepted. */
export async function problemsOf(changes: Environment): Promise<string[]> {
  try {
    await parse(changes)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
}

/** Checks that every value of a variable is accepted. */
export async function accepted(name: string, values: string[], others: Environment = {}): Promise<void> {
  for (const value of values) {
    expect({ value, problems: await problemsOf({ ...others, [name]: value }) }).toEqual({
      value,
      problems: [],
    })
  }
}

/** Checks that every value of a variable is refused with this problem alone. */
export async function refused(
  name: string,
  problem: string,
  values: string[],
  others: Environment = {},
): Promise<void> {
  for (const value of values) {
    expect({ value, problems: await problemsOf({ ...others, [name]: value }) }).toEqual({
      value,
      problems: [`${name} ${problem}`],
    })
  }
}
