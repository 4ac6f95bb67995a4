import { describe, expect, it } from 'bun:test'
import { parseRequest } from '../../../../observability/proof/flags.ts'
import { configuredStore } from '../../../../observability/proof/store-choice.ts'

describe('the command line of validate', () => {
  it('takes both servers by default, or those that are named', () => {
    expect(parseRequest([]).servers).toEqual(['loki', 'tempo'])
    expect(parseRequest(['tempo']).servers).toEqual(['tempo'])
    expect(parseRequest(['tempo', 'loki']).servers).toEqual(['loki', 'tempo'])
    expect(() => parseRequest(['mimir'])).toThrow('there is no mimir: name loki or tempo')
  })

  it('reads running servers, in one list or in several', () => {
    const one = parseRequest(['--against', 'loki=http://127.0.0.1:3100,tempo=https://tempo.example/'])
    const two = parseRequest([
      '--against',
      'loki=http://127.0.0.1:3100',
      '--against',
      'tempo=https://tempo.example',
    ])
    expect(one.flags.against).toEqual({ loki: 'http://127.0.0.1:3100', tempo: 'https://tempo.example' })
    expect(two).toEqual(one)
  })

  it('proves of running servers only those whose URL is there', () => {
    expect(parseRequest(['--against', 'tempo=http://127.0.0.1:3200']).servers).toEqual(['tempo'])
    expect(() => parseRequest(['loki', '--against', 'tempo=http://127.0.0.1:3200'])).toThrow('no URL of loki')
    expect(() => parseRequest(['--against', 'otlp=http://127.0.0.1:4318'])).toThrow('needs loki=<url>')
  })

  it("leaves the choice of Loki's client to the prefix, unless it is made", async () => {
    const chosenFor = async (prefix: string, ...argv: string[]) => {
      const { servers, flags } = parseRequest(argv)
      const env = {
        S3_ENDPOINT: 'https://store.example',
        S3_REGION: 'fsn1',
        S3_ACCESS_KEY_ID: 'key-id',
        S3_SECRET_ACCESS_KEY: 'a-secret',
        S3_BUCKET_LOKI: 'acme-loki',
        S3_PREFIX_LOKI: prefix,
        S3_BUCKET_TEMPO: 'acme-tempo',
      }
      return (await configuredStore(env, servers, () => '', flags.variant)).lokiVariant
    }
    expect(await chosenFor('loki/')).toBe('s3-thanos')
    expect(await chosenFor('of/acme/logs/')).toBe('s3-classic')
    expect(await chosenFor('loki/', '--variant', 's3-classic')).toBe('s3-classic')
    await expect(chosenFor('of/acme/logs/', '--variant', 's3-thanos')).rejects.toThrow('S3_PREFIX_LOKI must')
  })

  it('refuses flags that do not go together', () => {
    expect(() => parseRequest(['--against', 'loki=http://127.0.0.1:3100', '--all'])).toThrow('starts nothing')
    expect(() => parseRequest(['--tenant', 'acme'])).toThrow('go with --against')
    expect(() => parseRequest(['--deploy', 'compose', '--tls'])).toThrow('brings its own MinIO')
  })
})
