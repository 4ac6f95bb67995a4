import { describe, expect, it } from 'bun:test'
import { parseRequest } from '../../observability/validate/flags.ts'

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

  it('refuses flags that do not go together', () => {
    expect(() => parseRequest(['--against', 'loki=http://127.0.0.1:3100', '--all'])).toThrow('starts nothing')
    expect(() => parseRequest(['--tenant', 'acme'])).toThrow('go with --against')
    expect(() => parseRequest(['--deploy', 'compose', '--tls'])).toThrow('brings its own MinIO')
  })
})
