import { describe, expect, it } from 'bun:test'
import { parseStoreConfig } from '../../../../service/config/config.ts'
import type { Environment } from '../../../../service/config/parse.ts'
import { enough, fileReader, parse, problemsOf, refused } from '../../../support/service/config-under-test.ts'

const proxy = 'http://user:word@proxy.example.com:3128'
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com' }

/** Which calls go through which proxy; those that go directly are left out. */
async function proxied(env: Environment): Promise<Record<string, string>> {
  const { s3, auth, telemetry } = await parse({ ...collector, ...env })
  const found = {
    store: s3.proxy,
    issuer: auth.proxy,
    traces: telemetry.traces?.proxy,
    logs: telemetry.logs?.proxy,
  }
  const used = Object.entries(found).flatMap(([who, url]) => (url ? [[who, url.reveal()]] : []))
  return Object.fromEntries(used)
}

describe('PROXY_FOR', () => {
  it('sends no call through a proxy by default, whatever the environment names', async () => {
    expect(await proxied({ HTTPS_PROXY: proxy, HTTP_PROXY: proxy, all_proxy: proxy })).toEqual({})
  })

  it('sends the calls that it lists through the proxy for https', async () => {
    expect(await proxied({ PROXY_FOR: 'store', HTTPS_PROXY: proxy })).toEqual({ store: proxy })
    expect(await proxied({ PROXY_FOR: 'issuer,exporter', https_proxy: proxy })).toEqual({
      issuer: proxy,
      traces: proxy,
      logs: proxy,
    })
  })

  it('takes HTTPS_PROXY before ALL_PROXY, and what is empty for not set', async () => {
    const all = 'http://all.example.com:3128'
    expect(await proxied({ PROXY_FOR: 'store', HTTPS_PROXY: proxy, ALL_PROXY: all })).toEqual({
      store: proxy,
    })
    expect(await proxied({ PROXY_FOR: 'store', HTTPS_PROXY: '', ALL_PROXY: all })).toEqual({ store: all })
  })

  it('leaves loopback and plain http alone', async () => {
    const env = { PROXY_FOR: 'store,issuer,exporter', HTTPS_PROXY: proxy, HTTP_PROXY: proxy }
    const near = { S3_ENDPOINT: 'https://127.0.0.1:9000', AUTH_JWKS_URL: 'https://[::1]/keys' }
    const plain = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    expect(await proxied({ ...env, ...near, ...plain })).toEqual({})
  })

  it('counts for commands that work on the store alone', async () => {
    const env = { ...enough, PROXY_FOR: 'store', HTTPS_PROXY: proxy }
    const { s3 } = await parseStoreConfig(env, fileReader({}))
    expect(s3.proxy?.reveal()).toBe(proxy)
  })

  it('is refused without a proxy, with a proxy that cannot be one, and with calls that do not exist', async () => {
    expect(await problemsOf({ PROXY_FOR: 'store', HTTP_PROXY: proxy })).toEqual([
      'PROXY_FOR names calls, but neither HTTPS_PROXY nor ALL_PROXY is set',
    ])
    const form = 'must be http(s)://[user:password@]host:port, since PROXY_FOR uses it'
    const odd = [
      'proxy.example.com:3128',
      'socks5://proxy.example.com',
      'http://',
      `${proxy}/path`,
      `${proxy}/?x`,
    ]
    await refused('HTTPS_PROXY', form, odd, { PROXY_FOR: 'store' })
    const names = 'must be none, or store, issuer, exporter with commas between them'
    await refused('PROXY_FOR', names, ['all', 'store, issuer', 'none,store'], { HTTPS_PROXY: proxy })
  })

  it('reports the proxies that have no effect as ignored', async () => {
    const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, all_proxy: '' }
    expect((await parse(env)).ignored).toEqual(['HTTP_PROXY', 'HTTPS_PROXY'])
    expect((await parse({ ...env, PROXY_FOR: 'issuer' })).ignored).toEqual(['HTTP_PROXY'])
  })
})
