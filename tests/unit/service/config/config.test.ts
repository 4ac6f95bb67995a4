import { describe, expect, it } from 'bun:test'
import { inspect } from 'node:util'
import { type Config, ConfigError, parseConfig, secretsOf } from '../../../../service/config/config.ts'
import type { Environment } from '../../../../service/config/source.ts'
import type { ResolveHost } from '../../../../service/config/urls.ts'

const secretKey = `secret-${crypto.randomUUID()}`

/** Just enough, and good. */
const enough: Environment = {
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

const certificate = `-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIUPs64d3qER4NDEyMbJ5OATcHBe8wwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTYXV0aG9yaXR5IGZvciB0ZXN0czAgFw0yNjExMjMyMjIzMTRa
GA8yMTI2MTAzMDIyMjMxNFowHjEcMBoGA1UEAwwTYXV0aG9yaXR5IGZvciB0ZXN0
czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMFkGwzXwsorguWOTbyKD4y+VqNg
rcgUW7/EyV007zNfrkPaNKADriKjj9h7mp2mUHWHJaciN4ZcR/SlBq/GYJ6jUzBR
MB0GA1UdDgQWBBQMmd2JvBD/eGNsmyGNPvmlwjA8/jAfBgNVHSMEGDAWgBQMmd2J
vBD/eGNsmyGNPvmlwjA8/jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
MEUCIAU6oCSSQjkVTInetDCwwQrRrd39GZVP5rVsaRf9OyxeAiEAsmD5d8TIfSJj
ezDS5ZnULLFwKjVYJaN+xrpR0DNuiZA=
-----END CERTIFICATE-----`

const files: Readonly<Record<string, string>> = {
  '/secrets/key': `${secretKey}\n`,
  '/secrets/key-crlf': `${secretKey}\r\n`,
  '/secrets/key-two-newlines': `${secretKey}\n\n`,
  '/secrets/id': 'AKFROMFILE',
  '/secrets/nothing': '\n',
  '/ca/good.pem': `of the store\n${certificate}\n${certificate}\n`,
  '/ca/broken.pem': certificate.replaceAll('M', 'A'),
  '/ca/other.txt': 'hello',
}

function readFile(path: string): string {
  const content = files[path]
  if (content !== undefined) return content
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
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

function parse(changes: Environment = {}): Promise<Config> {
  return parseConfig({ ...enough, ...changes }, readFile, resolveHost)
}

/** The lines of the message, without its heading; empty where the environment is accepted. */
async function problemsOf(changes: Environment): Promise<string[]> {
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

describe('parseConfig', () => {
  it('fills in every default', async () => {
    const config = await parse()
    expect(JSON.parse(JSON.stringify(config))).toEqual({
      s3: {
        endpoint: 'https://fsn1.your-objectstorage.com',
        publicEndpoint: 'https://fsn1.your-objectstorage.com',
        region: 'fsn1',
        accessKeyId: '[redacted]',
        secretAccessKey: '[redacted]',
        forcePathStyle: false,
        insecure: false,
        connectionsMax: 64,
      },
      docs: { bucket: 'cloudlysis-docs', prefix: 'docs/' },
      auth: {
        issuer: 'https://login.example.com/',
        audience: 'documents',
        jwksUrl: 'https://login.example.com/keys',
        clientId: 'ui',
      },
      http: { host: '127.0.0.1', port: 8080, publicUrl: 'http://127.0.0.1:8080' },
      documentBytesMax: 5 * 1024 ** 3,
      serviceName: 'cloudlysis-documents',
      telemetry: {
        resourceAttributes: {},
        protocol: 'http/json',
        timeoutMilliseconds: 10_000,
        sampler: { kind: 'always_on', followsCaller: true, ratio: 1 },
      },
      ignored: [],
    })
    expect(config.s3.accessKeyId.reveal()).toBe('AKEXAMPLE')
    expect(config.s3.secretAccessKey.reveal()).toBe(secretKey)
  })

  it('gives a value that nothing can change afterwards', async () => {
    const config = await parse()
    expect(Object.isFrozen(config)).toBeTrue()
    expect(Object.isFrozen(config.s3)).toBeTrue()
    expect(Object.isFrozen(config.docs)).toBeTrue()
    expect(Object.isFrozen(config.s3.secretAccessKey)).toBeTrue()
  })

  it('reports all problems in one message, each with its variable and what to do', async () => {
    const problems = await problemsOf({
      S3_ENDPOINT: undefined,
      S3_SECRET_ACCESS_KEY: undefined,
      S3_REGION: '',
      S3_BUCKET_DOCS: 'Docs',
      S3_ENDPONT: 'https://store.example.com',
      PORT: '99999',
    })
    expect(problems).toEqual([
      'S3_ENDPONT is not known: did you mean S3_ENDPOINT?',
      'S3_REGION is empty: set it or leave it out',
      'S3_ENDPOINT is missing: set it to an http or https URL without path, query or user-info, such as https://fsn1.your-objectstorage.com',
      'S3_SECRET_ACCESS_KEY is missing: set it to 8–256 printable characters without a space, or S3_SECRET_ACCESS_KEY_FILE to the path of a file that holds it',
      'S3_BUCKET_DOCS must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends',
      'PORT must be a whole number from 1 to 65535',
    ])
  })

  it('shows no secret: not in the config however it is printed, and no value in a message', async () => {
    const config = await parse({ TICKET_SIGNING_KEY: `${secretKey}-${secretKey}` })
    const printed = [
      inspect(config, { depth: 9, showHidden: true }),
      Bun.inspect(config),
      JSON.stringify(config),
    ]
    expect(printed.join()).not.toContain(secretKey)
    expect(printed.join()).toContain('[redacted]')
    const problems = await problemsOf({
      S3_SECRET_ACCESS_KEY: `${secretKey} with spaces`,
      S3_ACCESS_KEY_ID: `${secretKey}\n`,
      S3_ENDPOINT: `https://user:${secretKey}@store.example.com`,
      S3_REGION: `${secretKey}!`,
    })
    expect(problems).toHaveLength(4)
    expect(problems.join()).not.toContain(secretKey)
  })

  it('names every secret of a config, for the redaction of logs', async () => {
    const revealed = async (changes: Environment) =>
      secretsOf(await parse(changes)).map((secret) => secret.reveal())
    const id = 'AKEXAMPLE-AKEXAMPLE'
    const key = 'k'.repeat(32)
    expect(await revealed({ S3_ACCESS_KEY_ID: id, TICKET_SIGNING_KEY: key })).toEqual([id, secretKey, key])
    expect(await revealed({ S3_ACCESS_KEY_ID: 'documents' })).toEqual([secretKey])
  })

  it('wants everything that has no default', async () => {
    const nothing = Object.fromEntries(Object.keys(enough).map((name) => [name, undefined]))
    expect((await problemsOf(nothing)).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'S3_ENDPOINT is missing:',
      'S3_REGION is missing:',
      'S3_ACCESS_KEY_ID is missing:',
      'S3_SECRET_ACCESS_KEY is missing:',
      'S3_BUCKET_DOCS is missing:',
      'AUTH_ISSUER is missing:',
      'AUTH_AUDIENCE is missing:',
      'AUTH_JWKS_URL is missing:',
      'AUTH_CLIENT_ID is missing:',
    ])
  })
})

describe('names and files', () => {
  it('of S3_* variables are all known, and other names are not looked at', async () => {
    expect(
      await problemsOf({ S4_ENDPOINT: 'x', LOKI_IMAGE: 'x', AWS_REGION: 'x', OTEL_BSP_SCHEDULE_DELAY: 'x' }),
    ).toEqual([])
    expect(await problemsOf({ S3_BUCKET: 'x' })).toEqual([
      'S3_BUCKET is not known: did you mean S3_BUCKET_DOCS?',
    ])
    expect(await problemsOf({ S3_SECRET_KEY: 'x' })).toEqual([
      'S3_SECRET_KEY is not known: did you mean S3_SECRET_ACCESS_KEY?',
    ])
    expect(await problemsOf({ S3_ZONE_AWARENESS: 'x' })).toEqual([
      'S3_ZONE_AWARENESS is not known: remove it',
    ])
    expect(await problemsOf({ s3_bucket: 'x' })).toEqual([])
  })

  it('are files for secrets only', async () => {
    expect(await problemsOf({ S3_REGION_FILE: '/secrets/key' })).toEqual([
      'S3_REGION_FILE is not known: did you mean S3_REGION?',
    ])
  })

  it('may not be empty', async () => {
    expect(await problemsOf({ S3_CA_FILE: '' })).toEqual(['S3_CA_FILE is empty: set it or leave it out'])
    expect(await problemsOf({ PORT: '' })).toEqual(['PORT is empty: set it or leave it out'])
    expect(await problemsOf({ S3_SECRET_ACCESS_KEY: undefined, S3_SECRET_ACCESS_KEY_FILE: '' })).toEqual([
      'S3_SECRET_ACCESS_KEY_FILE is empty: set it or leave it out',
    ])
  })

  it('give a secret from a file, less one newline at its end', async () => {
    const fromFile = async (path: string) =>
      (
        await parse({ S3_SECRET_ACCESS_KEY: undefined, S3_SECRET_ACCESS_KEY_FILE: path })
      ).s3.secretAccessKey.reveal()
    expect(await fromFile('/secrets/key')).toBe(secretKey)
    expect(await fromFile('/secrets/key-crlf')).toBe(secretKey)
    expect(
      await problemsOf({
        S3_SECRET_ACCESS_KEY: undefined,
        S3_SECRET_ACCESS_KEY_FILE: '/secrets/key-two-newlines',
      }),
    ).toEqual(['S3_SECRET_ACCESS_KEY must be 8–256 printable characters without a space'])
  })

  it('give the access key id and the ticket key from files too', async () => {
    const config = await parse({
      S3_ACCESS_KEY_ID: undefined,
      S3_ACCESS_KEY_ID_FILE: '/secrets/id',
      TICKET_SIGNING_KEY_FILE: '/secrets/key',
    })
    expect(config.s3.accessKeyId.reveal()).toBe('AKFROMFILE')
    expect(config.ticketSigningKey?.reveal()).toBe(secretKey)
  })

  it('refuse a secret that is given twice', async () => {
    expect(await problemsOf({ S3_SECRET_ACCESS_KEY_FILE: '/secrets/key' })).toEqual([
      'S3_SECRET_ACCESS_KEY is set beside S3_SECRET_ACCESS_KEY_FILE: keep one of the two',
    ])
  })

  it('refuse a secret file that is not there or holds nothing', async () => {
    const withFile = (path: string) =>
      problemsOf({ S3_SECRET_ACCESS_KEY: undefined, S3_SECRET_ACCESS_KEY_FILE: path })
    expect(await withFile('/secrets/absent')).toEqual([
      'S3_SECRET_ACCESS_KEY_FILE names a file that cannot be read (ENOENT)',
    ])
    expect(await withFile('/secrets/nothing')).toEqual([
      'S3_SECRET_ACCESS_KEY_FILE names an empty file: put the secret into it',
    ])
  })
})

describe('S3_ENDPOINT', () => {
  const endpoint = (S3_ENDPOINT: string) => problemsOf({ S3_ENDPOINT })

  it('is an origin: scheme, host and port', async () => {
    expect(await endpoint('https://store.example.com:9443')).toEqual([])
    expect(await endpoint('https://[2001:db8::1]:9443')).toEqual([])
    expect(await endpoint('store.example.com')).toEqual(['S3_ENDPOINT must be an http or https URL'])
    expect(await endpoint('s3://store.example.com')).toEqual(['S3_ENDPOINT must be an http or https URL'])
    expect(await endpoint('https://')).toEqual(['S3_ENDPOINT must be an http or https URL'])
    expect(await endpoint(' https://store.example.com')).toEqual([
      'S3_ENDPOINT must have neither spaces nor backslashes',
    ])
  })

  it('has no path, not even a slash', async () => {
    const problem = 'S3_ENDPOINT must end after the host and port, without a path or slash'
    expect(await endpoint('https://store.example.com/')).toEqual([problem])
    expect(await endpoint('https://store.example.com/bucket')).toEqual([problem])
    expect(await endpoint('https:store.example.com')).toEqual([problem])
  })

  it('has neither query nor fragment', async () => {
    const problem = 'S3_ENDPOINT must have neither query nor fragment'
    expect(await endpoint('https://store.example.com?region=x')).toEqual([problem])
    expect(await endpoint('https://store.example.com?')).toEqual([problem])
    expect(await endpoint('https://store.example.com#x')).toEqual([problem])
  })

  it('has no user-info', async () => {
    const problem = 'S3_ENDPOINT must not carry a user or password'
    expect(await endpoint('https://user:pass@store.example.com')).toEqual([problem])
    expect(await endpoint('https://user@store.example.com')).toEqual([problem])
    expect(await endpoint('https://@store.example.com')).toEqual([problem])
  })
})

describe('S3_INSECURE', () => {
  const insecure = (S3_ENDPOINT: string) => problemsOf({ S3_ENDPOINT, S3_INSECURE: 'true' })

  it('is needed for plain http', async () => {
    expect(await insecure('http://127.0.0.1:9000')).toEqual([])
    expect(await problemsOf({ S3_ENDPOINT: 'http://127.0.0.1:9000' })).toEqual([
      'S3_ENDPOINT is plain http: use https, or set S3_INSECURE=true for a store on this machine',
    ])
  })

  it('is refused for https', async () => {
    expect(await insecure('https://store.example.com')).toEqual([
      'S3_INSECURE must be false: S3_ENDPOINT is https',
    ])
    expect(await problemsOf({ S3_INSECURE: 'false' })).toEqual([])
  })

  it('is true or false and nothing else', async () => {
    expect(await problemsOf({ S3_INSECURE: '1' })).toEqual(['S3_INSECURE must be true or false'])
    expect(await problemsOf({ S3_INSECURE: 'TRUE' })).toEqual(['S3_INSECURE must be true or false'])
  })

  it('lets loopback through without a look at names', async () => {
    expect(await insecure('http://localhost:9000')).toEqual([])
    expect(await insecure('http://127.8.9.10:9000')).toEqual([])
    expect(await insecure('http://[::1]:9000')).toEqual([])
  })

  it('lets single-label names through that resolve to loopback or private addresses', async () => {
    expect(await insecure('http://minio:9000')).toEqual([])
    expect(await insecure('http://store6:9000')).toEqual([])
    expect(await insecure('http://here:9000')).toEqual([])
    expect(await insecure('http://office:9000')).toEqual([])
  })

  it('refuses names of which one address is public or link-local', async () => {
    const problem =
      'S3_ENDPOINT must be https: its host name resolves to an address that is neither loopback nor private'
    expect(await insecure('http://split:9000')).toEqual([problem])
    expect(await insecure('http://edge:9000')).toEqual([problem])
    expect(await insecure('http://metadata:9000')).toEqual([problem])
    expect(await insecure('http://mapped:9000')).toEqual([problem])
  })

  it('refuses a name that does not resolve', async () => {
    expect(await insecure('http://nowhere:9000')).toEqual([
      'S3_ENDPOINT names a host that cannot be resolved, so plain http to it is refused',
    ])
  })

  it('refuses names with a dot and addresses that are not loopback, even private ones', async () => {
    const problem =
      'S3_ENDPOINT must be https: plain http is only for loopback and for single-label host names'
    expect(await insecure('http://minio.local:9000')).toEqual([problem])
    expect(await insecure('http://localhost.example.com:9000')).toEqual([problem])
    expect(await insecure('http://minio.:9000')).toEqual([problem])
    expect(await insecure('http://10.0.0.1:9000')).toEqual([problem])
    expect(await insecure('http://[fd00::7]:9000')).toEqual([problem])
  })
})

describe('S3_PUBLIC_ENDPOINT', () => {
  it('is the endpoint unless it is set', async () => {
    expect((await parse()).s3.publicEndpoint).toBe('https://fsn1.your-objectstorage.com')
    expect((await parse({ S3_PUBLIC_ENDPOINT: 'https://files.example.com' })).s3.publicEndpoint).toBe(
      'https://files.example.com',
    )
  })

  it('follows the rules of the endpoint', async () => {
    expect(await problemsOf({ S3_PUBLIC_ENDPOINT: 'https://files.example.com/x' })).toEqual([
      'S3_PUBLIC_ENDPOINT must end after the host and port, without a path or slash',
    ])
    expect(await problemsOf({ S3_PUBLIC_ENDPOINT: 'http://localhost:9000' })).toEqual([
      'S3_PUBLIC_ENDPOINT is plain http: use https, or set S3_INSECURE=true for a store on this machine',
    ])
    const local = { S3_ENDPOINT: 'http://minio:9000', S3_INSECURE: 'true' }
    expect(await problemsOf({ ...local, S3_PUBLIC_ENDPOINT: 'http://localhost:9000' })).toEqual([])
    expect(await problemsOf({ ...local, S3_PUBLIC_ENDPOINT: 'https://files.example.com' })).toEqual([])
    expect(await problemsOf({ ...local, S3_PUBLIC_ENDPOINT: 'http://files.example.com' })).toEqual([
      'S3_PUBLIC_ENDPOINT must be https: plain http is only for loopback and for single-label host names',
    ])
  })
})

describe('credentials and region', () => {
  it('are taken as they are, within their form', async () => {
    expect(await problemsOf({ S3_ACCESS_KEY_ID: 'abc', S3_SECRET_ACCESS_KEY: 'a/b+c=d1' })).toEqual([])
    expect(await problemsOf({ S3_ACCESS_KEY_ID: 'ab' })).toEqual([
      'S3_ACCESS_KEY_ID must be 3–128 printable characters without a space',
    ])
    expect(await problemsOf({ S3_SECRET_ACCESS_KEY: 'a b c d e f' })).toEqual([
      'S3_SECRET_ACCESS_KEY must be 8–256 printable characters without a space',
    ])
  })

  it('need a region of letters, digits and hyphens', async () => {
    expect(await problemsOf({ S3_REGION: 'us-east-1' })).toEqual([])
    expect(await problemsOf({ S3_REGION: 'US East' })).toEqual([
      'S3_REGION must be a region such as us-east-1 or fsn1',
    ])
  })
})

describe('S3_FORCE_PATH_STYLE', () => {
  it('is true or false', async () => {
    expect((await parse({ S3_FORCE_PATH_STYLE: 'true' })).s3.forcePathStyle).toBeTrue()
    expect((await parse({ S3_FORCE_PATH_STYLE: 'false' })).s3.forcePathStyle).toBeFalse()
    expect(await problemsOf({ S3_FORCE_PATH_STYLE: 'yes' })).toEqual([
      'S3_FORCE_PATH_STYLE must be true or false',
    ])
  })
})

describe('S3_CA_FILE', () => {
  it('is a file of certificates, of which nothing else is kept', async () => {
    expect((await parse({ S3_CA_FILE: '/ca/good.pem' })).s3.ca).toBe(`${certificate}\n${certificate}`)
    expect((await parse()).s3).not.toHaveProperty('ca')
  })

  it('is refused when it cannot be read or is something else', async () => {
    expect(await problemsOf({ S3_CA_FILE: '/ca/absent.pem' })).toEqual([
      'S3_CA_FILE names a file that cannot be read (ENOENT)',
    ])
    const problem = 'S3_CA_FILE names a file that is not PEM certificates'
    expect(await problemsOf({ S3_CA_FILE: '/ca/other.txt' })).toEqual([problem])
    expect(await problemsOf({ S3_CA_FILE: '/ca/broken.pem' })).toEqual([problem])
  })
})

describe('S3_CONNECTIONS_MAX', () => {
  it('is a whole number from 1 to 256', async () => {
    expect((await parse({ S3_CONNECTIONS_MAX: '256' })).s3.connectionsMax).toBe(256)
    expect((await parse({ S3_CONNECTIONS_MAX: '8' })).s3.connectionsMax).toBe(8)
    const problem = ['S3_CONNECTIONS_MAX must be a whole number from 8 to 256']
    expect(await problemsOf({ S3_CONNECTIONS_MAX: '7' })).toEqual(problem)
    expect(await problemsOf({ S3_CONNECTIONS_MAX: '257' })).toEqual(problem)
    expect(await problemsOf({ S3_CONNECTIONS_MAX: '1.5' })).toEqual(problem)
    expect(await problemsOf({ S3_CONNECTIONS_MAX: '0x10' })).toEqual(problem)
    expect(await problemsOf({ S3_CONNECTIONS_MAX: 'many' })).toEqual(problem)
  })
})

describe('S3_BUCKET_DOCS', () => {
  const bucket = (S3_BUCKET_DOCS: string) => problemsOf({ S3_BUCKET_DOCS })
  const characters =
    'S3_BUCKET_DOCS must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends'

  it('follows the naming rules of S3', async () => {
    expect(await bucket('abc')).toEqual([])
    expect(await bucket('a'.repeat(63))).toEqual([])
    expect(await bucket('docs.acme-1.example')).toEqual([])
    expect(await bucket('ab')).toEqual([characters])
    expect(await bucket('a'.repeat(64))).toEqual([characters])
    expect(await bucket('Docs')).toEqual([characters])
    expect(await bucket('docs_acme')).toEqual([characters])
    expect(await bucket('-docs')).toEqual([characters])
    expect(await bucket('docs.')).toEqual([characters])
  })

  it('is no address and uses no name that S3 keeps for itself', async () => {
    expect(await bucket('10.0.0.1')).toEqual(['S3_BUCKET_DOCS must not look like an IP address'])
    expect(await bucket('10.0.0.1.2')).toEqual([])
    expect(await bucket('docs..acme')).toEqual(['S3_BUCKET_DOCS must not have two dots in a row'])
    expect(await bucket('xn--docs')).toEqual([
      'S3_BUCKET_DOCS must not begin with xn--, sthree- or amzn-s3-demo-',
    ])
    expect(await bucket('docs-s3alias')).toEqual([
      'S3_BUCKET_DOCS must not end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3',
    ])
  })
})

describe('S3_PREFIX_DOCS', () => {
  const prefix = (S3_PREFIX_DOCS: string) => problemsOf({ S3_PREFIX_DOCS })
  const problem = [
    'S3_PREFIX_DOCS must be 1–8 segments of [A-Za-z0-9][A-Za-z0-9._-]*, each with a slash after it, at most 512 characters',
  ]

  it('is 1 to 8 segments with one slash after each', async () => {
    expect(await prefix('d/')).toEqual([])
    expect(await prefix('1/2/3/4/5/6/7/8/')).toEqual([])
    expect(await prefix('Prod_eu-1.v2/docs/')).toEqual([])
    expect(await prefix('1/2/3/4/5/6/7/8/9/')).toEqual(problem)
    expect(await prefix('docs')).toEqual(problem)
    expect(await prefix('/docs/')).toEqual(problem)
    expect(await prefix('docs//')).toEqual(problem)
    expect(await prefix('/')).toEqual(problem)
  })

  it('leaves no room for traversal, other characters or over-long keys', async () => {
    expect(await prefix('docs/../')).toEqual(problem)
    expect(await prefix('./docs/')).toEqual(problem)
    expect(await prefix('.hidden/')).toEqual(problem)
    expect(await prefix('do cs/')).toEqual(problem)
    expect(await prefix('döcs/')).toEqual(problem)
    expect(await prefix('docs/\n')).toEqual(problem)
    expect(await prefix(`${'a'.repeat(511)}/`)).toEqual([])
    expect(await prefix(`${'a'.repeat(512)}/`)).toEqual(problem)
  })
})

describe('places of documents, Loki and Tempo', () => {
  it('of Loki and Tempo are optional and have their own default prefixes', async () => {
    const config = await parse({ S3_BUCKET_LOKI: 'cloudlysis-loki', S3_BUCKET_TEMPO: 'cloudlysis-tempo' })
    expect(config.loki).toEqual({ bucket: 'cloudlysis-loki', prefix: 'loki/' })
    expect(config.tempo).toEqual({ bucket: 'cloudlysis-tempo', prefix: 'tempo/' })
    expect(await parse()).not.toHaveProperty('loki')
  })

  it('refuse a prefix without its bucket', async () => {
    expect(await problemsOf({ S3_PREFIX_LOKI: 'logs/' })).toEqual([
      'S3_PREFIX_LOKI does nothing without S3_BUCKET_LOKI',
    ])
    expect(await problemsOf({ S3_PREFIX_TEMPO: 'traces/' })).toEqual([
      'S3_PREFIX_TEMPO does nothing without S3_BUCKET_TEMPO',
    ])
  })

  it('follow the same forms', async () => {
    expect(await problemsOf({ S3_BUCKET_LOKI: 'Loki' })).toEqual([
      'S3_BUCKET_LOKI must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends',
    ])
    expect(await problemsOf({ S3_BUCKET_TEMPO: 'tempo', S3_PREFIX_TEMPO: 'tempo' })).toEqual([
      'S3_PREFIX_TEMPO must be 1–8 segments of [A-Za-z0-9][A-Za-z0-9._-]*, each with a slash after it, at most 512 characters',
    ])
  })

  it('may share a bucket under prefixes that are apart', async () => {
    const shared = { S3_BUCKET_LOKI: 'cloudlysis-docs', S3_BUCKET_TEMPO: 'cloudlysis-docs' }
    expect(await problemsOf(shared)).toEqual([])
    expect(await problemsOf({ ...shared, S3_PREFIX_LOKI: 'docs-old/' })).toEqual([])
    expect(await problemsOf({ S3_BUCKET_LOKI: 'another', S3_PREFIX_LOKI: 'docs/' })).toEqual([])
  })

  it('may not equal or contain each other in one bucket', async () => {
    const clash = (owner: string, other: string) =>
      `S3_PREFIX_${owner} and S3_PREFIX_${other} share a bucket and contain each other: choose prefixes apart`
    const loki = { S3_BUCKET_LOKI: 'cloudlysis-docs' }
    expect(await problemsOf({ ...loki, S3_PREFIX_LOKI: 'docs/' })).toEqual([clash('LOKI', 'DOCS')])
    expect(await problemsOf({ ...loki, S3_PREFIX_LOKI: 'docs/loki/' })).toEqual([clash('LOKI', 'DOCS')])
    expect(await problemsOf({ ...loki, S3_PREFIX_DOCS: 'loki/docs/' })).toEqual([clash('LOKI', 'DOCS')])
    const tempo = { S3_BUCKET_LOKI: 'telemetry', S3_BUCKET_TEMPO: 'telemetry' }
    expect(await problemsOf({ ...tempo, S3_PREFIX_TEMPO: 'loki/' })).toEqual([clash('TEMPO', 'LOKI')])
  })
})

describe('AUTH_*', () => {
  it('URLs are https, or http on loopback', async () => {
    expect(
      await problemsOf({
        AUTH_ISSUER: 'http://127.0.0.1:4000',
        AUTH_JWKS_URL: 'http://localhost:4000/jwks.json',
      }),
    ).toEqual([])
    expect(
      await problemsOf({ AUTH_ISSUER: 'http://login.example.com', AUTH_JWKS_URL: 'http://issuer/jwks.json' }),
    ).toEqual([
      'AUTH_ISSUER must be https: plain http is for loopback only',
      'AUTH_JWKS_URL must be https: plain http is for loopback only',
    ])
    expect(await problemsOf({ AUTH_ISSUER: 'login' })).toEqual(['AUTH_ISSUER must be an http or https URL'])
    expect(await problemsOf({ AUTH_JWKS_URL: 'https://u:p@login.example.com' })).toEqual([
      'AUTH_JWKS_URL must not carry a user or password',
    ])
  })

  it('issuer is kept to the letter and has neither query nor fragment', async () => {
    expect((await parse({ AUTH_ISSUER: 'https://login.example.com/realms/a' })).auth.issuer).toBe(
      'https://login.example.com/realms/a',
    )
    expect(await problemsOf({ AUTH_ISSUER: 'https://login.example.com?a' })).toEqual([
      'AUTH_ISSUER must have neither query nor fragment',
    ])
    expect(await problemsOf({ AUTH_JWKS_URL: 'https://login.example.com/keys?p=policy' })).toEqual([])
    expect(await problemsOf({ AUTH_JWKS_URL: 'https://login.example.com/keys#x' })).toEqual([
      'AUTH_JWKS_URL must have no fragment',
    ])
  })

  it('audience and client id are printable and short', async () => {
    expect(await problemsOf({ AUTH_AUDIENCE: 'api://documents', AUTH_CLIENT_ID: 'a'.repeat(255) })).toEqual(
      [],
    )
    expect(await problemsOf({ AUTH_AUDIENCE: 'two words', AUTH_CLIENT_ID: 'a'.repeat(256) })).toEqual([
      'AUTH_AUDIENCE must be 1–255 printable characters without a space',
      'AUTH_CLIENT_ID must be 1–255 printable characters without a space',
    ])
  })
})

describe('HOST, PORT and PUBLIC_URL', () => {
  it('listen on an address or host name', async () => {
    expect((await parse({ HOST: '0.0.0.0', PORT: '65535' })).http).toMatchObject({
      host: '0.0.0.0',
      port: 65_535,
    })
    expect(await problemsOf({ HOST: '::' })).toEqual([])
    expect(await problemsOf({ HOST: 'localhost' })).toEqual([])
    const problem = ['HOST must be an IP address or a host name, without brackets or port']
    expect(await problemsOf({ HOST: '[::1]' })).toEqual(problem)
    expect(await problemsOf({ HOST: '127.0.0.1:80' })).toEqual(problem)
    expect(await problemsOf({ HOST: '127.0.0.999' })).toEqual(problem)
    expect(await problemsOf({ HOST: 'a host' })).toEqual(problem)
  })

  it('listen on a port from 1 to 65535', async () => {
    expect(await problemsOf({ PORT: '1' })).toEqual([])
    const problem = ['PORT must be a whole number from 1 to 65535']
    expect(await problemsOf({ PORT: '0' })).toEqual(problem)
    expect(await problemsOf({ PORT: '65536' })).toEqual(problem)
    expect(await problemsOf({ PORT: '-1' })).toEqual(problem)
    expect(await problemsOf({ PORT: '80 ' })).toEqual(problem)
  })

  it('make the public URL, which another one can replace', async () => {
    expect((await parse({ HOST: '127.0.0.1', PORT: '9' })).http.publicUrl).toBe('http://127.0.0.1:9')
    expect((await parse({ HOST: '0.0.0.0' })).http.publicUrl).toBe('http://localhost:8080')
    expect((await parse({ HOST: '::1' })).http.publicUrl).toBe('http://[::1]:8080')
    expect((await parse({ PUBLIC_URL: 'https://docs.example.com' })).http.publicUrl).toBe(
      'https://docs.example.com',
    )
    expect(await problemsOf({ PUBLIC_URL: 'https://docs.example.com/v1' })).toEqual([
      'PUBLIC_URL must end after the host and port, without a path or slash',
    ])
  })
})

describe('DOCUMENT_BYTES_MAX', () => {
  it('is plain bytes from 1 MiB to the 5 GiB of one S3 put', async () => {
    expect((await parse({ DOCUMENT_BYTES_MAX: '1048576' })).documentBytesMax).toBe(1_048_576)
    expect((await parse({ DOCUMENT_BYTES_MAX: '5368709120' })).documentBytesMax).toBe(5_368_709_120)
    const problem = expect.stringContaining('DOCUMENT_BYTES_MAX must be a whole number of bytes from 1048576')
    expect(await problemsOf({ DOCUMENT_BYTES_MAX: '1048575' })).toEqual([problem])
    expect(await problemsOf({ DOCUMENT_BYTES_MAX: '5368709121' })).toEqual([problem])
    expect(await problemsOf({ DOCUMENT_BYTES_MAX: '5GiB' })).toEqual([problem])
    expect(await problemsOf({ DOCUMENT_BYTES_MAX: '5e9' })).toEqual([problem])
  })
})

describe('TICKET_SIGNING_KEY', () => {
  it('is absent or at least 32 characters', async () => {
    expect(await parse()).not.toHaveProperty('ticketSigningKey')
    expect((await parse({ TICKET_SIGNING_KEY: 'k'.repeat(32) })).ticketSigningKey?.reveal()).toBe(
      'k'.repeat(32),
    )
    expect(await problemsOf({ TICKET_SIGNING_KEY: 'k'.repeat(31) })).toEqual([
      'TICKET_SIGNING_KEY must be 32–1024 printable characters without a space',
    ])
  })
})

describe('TRACE_URL_TEMPLATE', () => {
  const template = (TRACE_URL_TEMPLATE: string) => problemsOf({ TRACE_URL_TEMPLATE })

  it('is absent, or a link to a trace wherever its id stands in it', async () => {
    expect((await parse()).traceUrlTemplate).toBeUndefined()
    for (const good of [
      'https://traces.example.com/trace/{traceId}',
      'https://grafana.example.com/explore?left={"queries":["{traceId}"]}',
      'https://traces.example.com/#/{traceId}?again={traceId}',
      'http://127.0.0.1:3000/trace/{traceId}',
    ]) {
      expect((await parse({ TRACE_URL_TEMPLATE: good })).traceUrlTemplate).toBe(good)
    }
  })

  it('has a place for the trace id, which is not its host', async () => {
    expect(await template('https://traces.example.com/trace/{traceid}')).toEqual([
      'TRACE_URL_TEMPLATE must hold {traceId}, in the place of the trace id',
    ])
    expect(await template('https://{traceId}.example.com/')).toEqual([
      'TRACE_URL_TEMPLATE must not have {traceId} in its host',
    ])
    expect(await template('https://{traceId}')).toEqual([
      'TRACE_URL_TEMPLATE must not have {traceId} in its host',
    ])
  })

  it('leads people to no script and over no plain http', async () => {
    expect(await template('javascript:alert({traceId})')).toEqual([
      'TRACE_URL_TEMPLATE must be an http or https URL',
    ])
    expect(await template('/trace/{traceId}')).toEqual(['TRACE_URL_TEMPLATE must be an http or https URL'])
    expect(await template('http://traces.example.com/{traceId}')).toEqual([
      'TRACE_URL_TEMPLATE must be https: plain http is for loopback only',
    ])
    expect(await template('https://u:p@traces.example.com/{traceId}')).toEqual([
      'TRACE_URL_TEMPLATE must not carry a user or password',
    ])
    expect(await template('')).toEqual(['TRACE_URL_TEMPLATE is empty: set it or leave it out'])
  })
})
