import { describe, expect, it } from 'bun:test'
import { inspect } from 'node:util'
import { secretsOf } from '../../../../service/config/config.ts'
import type { Environment } from '../../../../service/config/parse.ts'
import {
  accepted,
  certificate,
  enough,
  parse,
  problemsOf,
  refused,
  secretKey,
} from '../../../support/service/config-under-test.ts'

const mustBeUrl = 'must be an http or https URL'
const noUser = 'must not carry a user or password'
const noPath = 'must end after the host and port, without a path or slash'
const noQuery = 'must have neither query nor fragment'
const httpsOnly = 'must be https: plain http is for loopback only'
const needsInsecure = 'is plain http: use https, or set S3_INSECURE=true for a store on this machine'
const isEmpty = 'is empty: set it or leave it out'
const flag = 'must be true or false'

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
      http: {
        host: '127.0.0.1',
        port: 8080,
        publicUrl: 'http://127.0.0.1:8080',
        trustedProxies: [],
        requestsMax: 256,
      },
      documentBytesMax: 5 * 1024 ** 3,
      readVerification: 'store',
      singleReplica: false,
      audit: {},
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

  it('returns a value that nothing can change afterwards', async () => {
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
      'S3_ENDPOINT is missing: set it to an http or https URL without path, query or user-info, such as https://fsn1.your-objectstorage.com',
      'S3_REGION is empty: set it or leave it out',
      'S3_SECRET_ACCESS_KEY is missing: set it to 8–256 printable characters without a space, or S3_SECRET_ACCESS_KEY_FILE to the path of a file that holds it',
      'S3_BUCKET_DOCS must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends',
      'PORT must be a whole number from 1 to 65535',
    ])
  })

  it('shows no secret, however the configuration is printed, and no value in a message', async () => {
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

  it('requires everything that has no default', async () => {
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

describe('the names and files of variables', () => {
  const ownFile = { S3_SECRET_ACCESS_KEY: undefined }

  it('refuse unknown S3_* names with advice, and ignore other names', async () => {
    expect(
      await problemsOf({ S4_ENDPOINT: 'x', LOKI_IMAGE: 'x', AWS_REGION: 'x', OTEL_BSP_SCHEDULE_DELAY: 'x' }),
    ).toEqual([])
    await refused('S3_BUCKET', 'is not known: did you mean S3_BUCKET_DOCS?', ['x'])
    await refused('S3_SECRET_KEY', 'is not known: did you mean S3_SECRET_ACCESS_KEY?', ['x'])
    await refused('S3_ZONE_AWARENESS', 'is not known: remove it', ['x'])
    await accepted('s3_bucket', ['x'])
  })

  it('allow files for secrets only', async () => {
    await refused('S3_REGION_FILE', 'is not known: did you mean S3_REGION?', ['/secrets/key'])
  })

  it('refuse an empty value', async () => {
    await refused('S3_CA_FILE', isEmpty, [''])
    await refused('PORT', isEmpty, [''])
    await refused('S3_SECRET_ACCESS_KEY_FILE', isEmpty, [''], ownFile)
  })

  it('take a secret from a file, without one newline at its end', async () => {
    const fromFile = async (path: string) =>
      (await parse({ ...ownFile, S3_SECRET_ACCESS_KEY_FILE: path })).s3.secretAccessKey.reveal()
    expect(await fromFile('/secrets/key')).toBe(secretKey)
    expect(await fromFile('/secrets/key-crlf')).toBe(secretKey)
    expect(await problemsOf({ ...ownFile, S3_SECRET_ACCESS_KEY_FILE: '/secrets/key-two-newlines' })).toEqual([
      'S3_SECRET_ACCESS_KEY must be 8–256 printable characters without a space',
    ])
  })

  it('take the access key id and the ticket key from files as well', async () => {
    const config = await parse({
      S3_ACCESS_KEY_ID: undefined,
      S3_ACCESS_KEY_ID_FILE: '/secrets/id',
      TICKET_SIGNING_KEY_FILE: '/secrets/key',
    })
    expect(config.s3.accessKeyId.reveal()).toBe('AKFROMFILE')
    expect(config.ticketSigningKeys?.map((key) => key.reveal())).toEqual([secretKey])
  })

  it('refuse a secret that is given twice', async () => {
    expect(await problemsOf({ S3_SECRET_ACCESS_KEY_FILE: '/secrets/key' })).toEqual([
      'S3_SECRET_ACCESS_KEY is set as well as S3_SECRET_ACCESS_KEY_FILE: keep one of the two',
    ])
  })

  it('refuse a secret file that is absent or empty', async () => {
    const name = 'S3_SECRET_ACCESS_KEY_FILE'
    await refused(name, 'names a file that cannot be read (ENOENT)', ['/secrets/absent'], ownFile)
    await refused(name, 'names an empty file: put the secret into it', ['/secrets/nothing'], ownFile)
  })
})

describe('S3_ENDPOINT', () => {
  it('is an origin: scheme, host and port', async () => {
    await accepted('S3_ENDPOINT', ['https://store.example.com:9443', 'https://[2001:db8::1]:9443'])
    await refused('S3_ENDPOINT', mustBeUrl, ['store.example.com', 's3://store.example.com', 'https://'])
    await refused('S3_ENDPOINT', 'must have neither spaces nor backslashes', [' https://store.example.com'])
  })

  it('has no path, query, fragment or user-info, not even an empty one', async () => {
    const origin = 'https://store.example.com'
    await refused('S3_ENDPOINT', noPath, [`${origin}/`, `${origin}/bucket`, 'https:store.example.com'])
    await refused('S3_ENDPOINT', noQuery, [`${origin}?region=x`, `${origin}?`, `${origin}#x`])
    await refused('S3_ENDPOINT', noUser, [
      'https://user:pass@store.example.com',
      'https://user@store.example.com',
      'https://@store.example.com',
    ])
  })
})

describe('S3_INSECURE', () => {
  const insecure = { S3_INSECURE: 'true' }

  it('is needed for plain http, and refused for https', async () => {
    await accepted('S3_ENDPOINT', ['http://127.0.0.1:9000'], insecure)
    await refused('S3_ENDPOINT', needsInsecure, ['http://127.0.0.1:9000'])
    await refused('S3_INSECURE', 'must be false: S3_ENDPOINT is https', ['true'])
    await accepted('S3_INSECURE', ['false'])
    await refused('S3_INSECURE', flag, ['1', 'TRUE'])
  })

  it('allows loopback without resolving a name', async () => {
    const loopback = ['http://localhost:9000', 'http://127.8.9.10:9000', 'http://[::1]:9000']
    await accepted('S3_ENDPOINT', loopback, insecure)
  })

  it('allows single-label names that resolve to loopback or private addresses', async () => {
    const near = ['http://minio:9000', 'http://store6:9000', 'http://here:9000', 'http://office:9000']
    await accepted('S3_ENDPOINT', near, insecure)
  })

  it('refuses names with a public or link-local address, and those that do not resolve', async () => {
    const problem = 'must be https: its host name resolves to an address that is neither loopback nor private'
    const far = ['http://split:9000', 'http://edge:9000', 'http://metadata:9000', 'http://mapped:9000']
    await refused('S3_ENDPOINT', problem, far, insecure)
    const unresolved = 'names a host that cannot be resolved, so plain http to it is refused'
    await refused('S3_ENDPOINT', unresolved, ['http://nowhere:9000'], insecure)
  })

  it('refuses names with a dot and addresses that are not loopback, even private ones', async () => {
    const problem = 'must be https: plain http is only for loopback and for single-label host names'
    const hosts = ['minio.local', 'localhost.example.com', 'minio.', '10.0.0.1', '[fd00::7]']
    await refused(
      'S3_ENDPOINT',
      problem,
      hosts.map((host) => `http://${host}:9000`),
      insecure,
    )
  })
})

describe('S3_PUBLIC_ENDPOINT', () => {
  it('is the endpoint unless it is set', async () => {
    expect((await parse()).s3.publicEndpoint).toBe('https://fsn1.your-objectstorage.com')
    const files = 'https://files.example.com'
    expect((await parse({ S3_PUBLIC_ENDPOINT: files })).s3.publicEndpoint).toBe(files)
  })

  it('follows the rules of the endpoint', async () => {
    await refused('S3_PUBLIC_ENDPOINT', noPath, ['https://files.example.com/x'])
    await refused('S3_PUBLIC_ENDPOINT', needsInsecure, ['http://localhost:9000'])
    const local = { S3_ENDPOINT: 'http://minio:9000', S3_INSECURE: 'true' }
    await accepted('S3_PUBLIC_ENDPOINT', ['http://localhost:9000', 'https://files.example.com'], local)
    const problem = 'must be https: plain http is only for loopback and for single-label host names'
    await refused('S3_PUBLIC_ENDPOINT', problem, ['http://files.example.com'], local)
  })
})

describe('the other S3_* variables of the connection', () => {
  it('take credentials as they are, within their form', async () => {
    expect(await problemsOf({ S3_ACCESS_KEY_ID: 'abc', S3_SECRET_ACCESS_KEY: 'a/b+c=d1' })).toEqual([])
    await refused('S3_ACCESS_KEY_ID', 'must be 3–128 printable characters without a space', ['ab'])
    await refused('S3_SECRET_ACCESS_KEY', 'must be 8–256 printable characters without a space', [
      'a b c d e f',
    ])
  })

  it('need a region of letters, digits and hyphens', async () => {
    await accepted('S3_REGION', ['us-east-1'])
    await refused('S3_REGION', 'must be a region such as us-east-1 or fsn1', ['US East'])
  })

  it('put the bucket into the path or not', async () => {
    expect((await parse({ S3_FORCE_PATH_STYLE: 'true' })).s3.forcePathStyle).toBeTrue()
    expect((await parse({ S3_FORCE_PATH_STYLE: 'false' })).s3.forcePathStyle).toBeFalse()
    await refused('S3_FORCE_PATH_STYLE', flag, ['yes'])
  })

  it('trust a file of certificates, of which nothing else is kept', async () => {
    expect((await parse({ S3_CA_FILE: '/ca/good.pem' })).s3.ca).toBe(`${certificate}\n${certificate}`)
    expect((await parse()).s3).not.toHaveProperty('ca')
    await refused('S3_CA_FILE', 'names a file that cannot be read (ENOENT)', ['/ca/absent.pem'])
    await refused('S3_CA_FILE', 'names a file that is not PEM certificates', [
      '/ca/other.txt',
      '/ca/broken.pem',
    ])
  })

  it('allow from 8 to 256 connections', async () => {
    expect((await parse({ S3_CONNECTIONS_MAX: '256' })).s3.connectionsMax).toBe(256)
    expect((await parse({ S3_CONNECTIONS_MAX: '8' })).s3.connectionsMax).toBe(8)
    const problem = 'must be a whole number from 8 to 256'
    await refused('S3_CONNECTIONS_MAX', problem, ['7', '257', '1.5', '0x10', 'many'])
  })
})

const bucketCharacters = 'must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends'
const prefixForm =
  'must be 1–8 segments of [A-Za-z0-9][A-Za-z0-9._-]*, each with a slash after it, at most 512 characters'

describe('S3_BUCKET_DOCS', () => {
  it('follows the naming rules of S3', async () => {
    await accepted('S3_BUCKET_DOCS', ['abc', 'a'.repeat(63), 'docs.acme-1.example', '10.0.0.1.2'])
    await refused('S3_BUCKET_DOCS', bucketCharacters, [
      ...['ab', 'a'.repeat(64), 'Docs', 'docs_acme', '-docs', 'docs.'],
    ])
  })

  it('is no address and no name that S3 reserves', async () => {
    await refused('S3_BUCKET_DOCS', 'must not look like an IP address', ['10.0.0.1'])
    await refused('S3_BUCKET_DOCS', 'must not have two dots in a row', ['docs..acme'])
    await refused('S3_BUCKET_DOCS', 'must not begin with xn--, sthree- or amzn-s3-demo-', ['xn--docs'])
    const endings = 'must not end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3'
    await refused('S3_BUCKET_DOCS', endings, ['docs-s3alias'])
  })
})

describe('S3_PREFIX_DOCS', () => {
  it('is 1 to 8 segments with one slash after each', async () => {
    await accepted('S3_PREFIX_DOCS', ['d/', '1/2/3/4/5/6/7/8/', 'Prod_eu-1.v2/docs/'])
    await refused('S3_PREFIX_DOCS', prefixForm, ['1/2/3/4/5/6/7/8/9/', 'docs', '/docs/', 'docs//', '/'])
  })

  it('leaves no room for traversal, other characters or keys that are too long', async () => {
    const long = `${'a'.repeat(512)}/`
    await accepted('S3_PREFIX_DOCS', [`${'a'.repeat(511)}/`])
    await refused('S3_PREFIX_DOCS', prefixForm, [
      ...['docs/../', './docs/', '.hidden/', 'do cs/', 'döcs/', 'docs/\n', long],
    ])
  })
})

describe('the places of documents, Loki and Tempo', () => {
  it('are optional for Loki and Tempo, with default prefixes', async () => {
    const config = await parse({ S3_BUCKET_LOKI: 'cloudlysis-loki', S3_BUCKET_TEMPO: 'cloudlysis-tempo' })
    expect(config.loki).toEqual({ bucket: 'cloudlysis-loki', prefix: 'loki/' })
    expect(config.tempo).toEqual({ bucket: 'cloudlysis-tempo', prefix: 'tempo/' })
    expect(await parse()).not.toHaveProperty('loki')
  })

  it('need a bucket for every prefix', async () => {
    await refused('S3_PREFIX_LOKI', 'does nothing without S3_BUCKET_LOKI', ['logs/'])
    await refused('S3_PREFIX_TEMPO', 'does nothing without S3_BUCKET_TEMPO', ['traces/'])
  })

  it('have the same forms as that of the documents', async () => {
    await refused('S3_BUCKET_LOKI', bucketCharacters, ['Loki'])
    await refused('S3_PREFIX_TEMPO', prefixForm, ['tempo'], { S3_BUCKET_TEMPO: 'tempo' })
  })

  it('may share a bucket under separate prefixes', async () => {
    const shared = { S3_BUCKET_LOKI: 'cloudlysis-docs', S3_BUCKET_TEMPO: 'cloudlysis-docs' }
    expect(await problemsOf(shared)).toEqual([])
    await accepted('S3_PREFIX_LOKI', ['docs-old/'], shared)
    await accepted('S3_PREFIX_LOKI', ['docs/'], { S3_BUCKET_LOKI: 'another' })
  })

  it('must not equal or contain each other in one bucket', async () => {
    const clash = (other: string) =>
      `and S3_PREFIX_${other} share a bucket and contain each other: choose separate prefixes`
    const loki = { S3_BUCKET_LOKI: 'cloudlysis-docs' }
    await refused('S3_PREFIX_LOKI', clash('DOCS'), ['docs/', 'docs/loki/'], loki)
    expect(await problemsOf({ ...loki, S3_PREFIX_DOCS: 'loki/docs/' })).toEqual([
      `S3_PREFIX_LOKI ${clash('DOCS')}`,
    ])
    const both = { S3_BUCKET_LOKI: 'telemetry', S3_BUCKET_TEMPO: 'telemetry' }
    await refused('S3_PREFIX_TEMPO', clash('LOKI'), ['loki/'], both)
  })
})

describe('AUTH_*', () => {
  it('has URLs with https, or with http on loopback', async () => {
    await accepted('AUTH_ISSUER', ['http://127.0.0.1:4000'])
    await accepted('AUTH_JWKS_URL', ['http://localhost:4000/jwks.json'])
    await refused('AUTH_ISSUER', httpsOnly, ['http://login.example.com'])
    await refused('AUTH_JWKS_URL', httpsOnly, ['http://issuer/jwks.json'])
    await refused('AUTH_ISSUER', mustBeUrl, ['login'])
    await refused('AUTH_JWKS_URL', noUser, ['https://u:p@login.example.com'])
  })

  it('keeps the issuer to the letter, without query or fragment', async () => {
    const issuer = 'https://login.example.com/realms/a'
    expect((await parse({ AUTH_ISSUER: issuer })).auth.issuer).toBe(issuer)
    await refused('AUTH_ISSUER', noQuery, ['https://login.example.com?a'])
    await accepted('AUTH_JWKS_URL', ['https://login.example.com/keys?p=policy'])
    await refused('AUTH_JWKS_URL', 'must have no fragment', ['https://login.example.com/keys#x'])
  })

  it('has a printable and short audience and client id', async () => {
    const problem = 'must be 1–255 printable characters without a space'
    await accepted('AUTH_AUDIENCE', ['api://documents'])
    await accepted('AUTH_CLIENT_ID', ['a'.repeat(255)])
    await refused('AUTH_AUDIENCE', problem, ['two words'])
    await refused('AUTH_CLIENT_ID', problem, ['a'.repeat(256)])
  })
})

describe('HOST, PORT and PUBLIC_URL', () => {
  it('listen on an address or host name', async () => {
    const { http } = await parse({ HOST: '0.0.0.0', PORT: '65535' })
    expect(http).toMatchObject({ host: '0.0.0.0', port: 65_535 })
    await accepted('HOST', ['::', 'localhost'])
    const problem = 'must be an IP address or a host name, without brackets or port'
    await refused('HOST', problem, ['[::1]', '127.0.0.1:80', '127.0.0.999', 'a host'])
  })

  it('listen on a port from 1 to 65535', async () => {
    await accepted('PORT', ['1'])
    await refused('PORT', 'must be a whole number from 1 to 65535', ['0', '65536', '-1', '80 '])
  })

  it('make the public URL, which another one can replace', async () => {
    const urlFor = async (changes: Environment) => (await parse(changes)).http.publicUrl
    expect(await urlFor({ HOST: '127.0.0.1', PORT: '9' })).toBe('http://127.0.0.1:9')
    expect(await urlFor({ HOST: '0.0.0.0' })).toBe('http://localhost:8080')
    expect(await urlFor({ HOST: '::1' })).toBe('http://[::1]:8080')
    expect(await urlFor({ PUBLIC_URL: 'https://docs.example.com' })).toBe('https://docs.example.com')
    await refused('PUBLIC_URL', noPath, ['https://docs.example.com/v1'])
  })
})

describe('DOCUMENT_BYTES_MAX', () => {
  it('is in bytes, from 1 MiB to the 5 GiB of one S3 put', async () => {
    expect((await parse({ DOCUMENT_BYTES_MAX: '1048576' })).documentBytesMax).toBe(1_048_576)
    expect((await parse({ DOCUMENT_BYTES_MAX: '5368709120' })).documentBytesMax).toBe(5_368_709_120)
    const problem =
      'must be a whole number of bytes from 1048576 (1 MiB) to 5368709120 (5 GiB, what S3 takes in one put)'
    await refused('DOCUMENT_BYTES_MAX', problem, ['1048575', '5368709121', '5GiB', '5e9'])
  })
})

describe('TICKET_SIGNING_KEY', () => {
  it('is absent, or one to four keys of at least 32 characters', async () => {
    expect(await parse()).not.toHaveProperty('ticketSigningKeys')
    const [key, other] = ['k'.repeat(32), 'o'.repeat(1024)]
    const keysOf = async (text: string) =>
      (await parse({ TICKET_SIGNING_KEY: text })).ticketSigningKeys?.map((each) => each.reveal())
    expect(await keysOf(key)).toEqual([key])
    expect(await keysOf(`${key} ${other}`)).toEqual([key, other])
    expect(await keysOf(`${key}\r\n${other}\n${key}\n${key}`)).toEqual([key, other, key, key])
    const problem =
      'must be 1–4 keys of 32–1024 printable characters, with a space or a line break between them'
    const long = `${key} ${key} ${key} ${key} ${key}`
    await refused('TICKET_SIGNING_KEY', problem, ['k'.repeat(31), `${key} short`, ` ${key}`, long])
  })

  it('has only keys that are redacted, each on its own', async () => {
    const config = await parse({ TICKET_SIGNING_KEY: `${'k'.repeat(32)} ${'o'.repeat(32)}` })
    const revealed = secretsOf(config).map((secret) => secret.reveal())
    expect(revealed).toContain('k'.repeat(32))
    expect(revealed).toContain('o'.repeat(32))
  })
})

describe('AUDIT_LOG_FILE and AUDIT_QUERY_URL', () => {
  it('are absent, or an absolute path and the URL of Loki with its headers', async () => {
    await accepted('AUDIT_LOG_FILE', ['/audit/audit.jsonl'])
    await refused('AUDIT_LOG_FILE', 'must be an absolute path', ['audit.jsonl', '/audit/', '/'])
    const { audit } = await parse({
      AUDIT_QUERY_URL: 'https://loki.example.com',
      AUDIT_QUERY_HEADERS: 'Authorization=Basic%20YWxpY2U6c2VjcmV0LXNlY3JldA==',
    })
    expect(audit.query?.url).toBe('https://loki.example.com')
    expect(audit.query?.headers.authorization?.reveal()).toBe('Basic YWxpY2U6c2VjcmV0LXNlY3JldA==')
    expect(JSON.stringify(audit)).not.toContain('YWxpY2U6')
  })

  it('send headers over plain http to this machine and its private network alone', async () => {
    const headers = { AUDIT_QUERY_HEADERS: 'authorization=x' }
    await accepted('AUDIT_QUERY_URL', ['http://loki:3100', 'http://127.0.0.1:3100'], headers)
    const problem =
      'must be https where headers are sent to it: plain http is for loopback, private addresses and single-label names'
    await refused('AUDIT_QUERY_URL', problem, ['http://loki.example.com'], headers)
  })

  it('has headers that are redacted', async () => {
    const config = await parse({
      AUDIT_QUERY_URL: 'https://loki.example.com',
      AUDIT_QUERY_HEADERS: 'authorization=Bearer%20secret-of-the-audit-query',
    })
    expect(secretsOf(config).map((secret) => secret.reveal())).toContain('secret-of-the-audit-query')
  })
})

describe('TRUSTED_PROXIES', () => {
  it('are addresses and CIDR blocks of both families, or none', async () => {
    const { http } = await parse({ TRUSTED_PROXIES: '10.0.1.0/24, 192.0.2.7,2001:db8::/32' })
    expect(http.trustedProxies).toEqual([
      { address: '10.0.1.0', bits: 24, family: 'ipv4' },
      { address: '192.0.2.7', bits: 32, family: 'ipv4' },
      { address: '2001:db8::', bits: 32, family: 'ipv6' },
    ])
    expect((await parse({ TRUSTED_PROXIES: 'none' })).http.trustedProxies).toEqual([])
  })

  it('are refused where they are names, no CIDR blocks, or every address', async () => {
    const noBlocks =
      'must be none, or addresses and CIDR blocks with commas between them, such as 10.0.1.0/24'
    await refused('TRUSTED_PROXIES', noBlocks, [
      'proxy',
      '10.0.1.0/33',
      '10.0.1.0/',
      '10.0.1.0/24,',
      '::/129',
    ])
    const everyone =
      'must not hold every address: any client could then choose the address that is recorded for it'
    await refused('TRUSTED_PROXIES', everyone, ['0.0.0.0/0', '10.0.1.0/24,::/0'])
  })
})

describe('TRACE_URL_TEMPLATE', () => {
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
    const absent = 'must hold {traceId}, in the place of the trace id'
    await refused('TRACE_URL_TEMPLATE', absent, ['https://traces.example.com/trace/{traceid}'])
    const inHost = 'must not have {traceId} in its host'
    await refused('TRACE_URL_TEMPLATE', inHost, ['https://{traceId}.example.com/', 'https://{traceId}'])
  })

  it('leads people to no script and over no plain http', async () => {
    await refused('TRACE_URL_TEMPLATE', mustBeUrl, ['javascript:alert({traceId})', '/trace/{traceId}'])
    await refused('TRACE_URL_TEMPLATE', httpsOnly, ['http://traces.example.com/{traceId}'])
    await refused('TRACE_URL_TEMPLATE', noUser, ['https://u:p@traces.example.com/{traceId}'])
    await refused('TRACE_URL_TEMPLATE', isEmpty, [''])
  })
})
