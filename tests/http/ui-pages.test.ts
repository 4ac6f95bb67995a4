import { describe, expect, it } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type Call, callerOf, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'

const { service, anyone } = await ownService({
  ui: true,
  traceUrlTemplate: 'https://traces.example/{traceId}',
})

const script = /<script[^>]* src="([^"]+)"/.exec(await (await anyone('/')).text())?.[1] ?? ''

/** Security headers of the answer, by name; `null` where there is none. */
function guardsOf({ headers }: Response): Record<string, string | null> {
  const names = [
    'content-security-policy',
    'cross-origin-opener-policy',
    'cross-origin-resource-policy',
    'referrer-policy',
    'x-content-type-options',
  ]
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]))
}

function policy(): string {
  const connect = `connect-src 'self' ${service.connection.endpoint} ${service.issuer.issuer}`
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; ${connect}; ` +
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  )
}

const addresses = [
  '/',
  '/sign-in',
  '/tenants/acme',
  '/tenants/acme/deployment-bundles',
  '/tenants/acme/deployment-bundles/orders-api.tgz',
  '/tenants/acme/deployment-bundles/orders-api.tgz?version=sha256:0',
  '/tenants/acme/deployment-bundles/orders-api.tgz/history?tag=production',
  '/tenants/acme/deployment-bundles/_rollout?tags=production,latest',
  '/tenants/acme/definitions?prefix=a&sort=-name',
]

describe('the page of the Control UI', () => {
  it('is the same at every address of the UI, and needs no token', async () => {
    const pages = await Promise.all(addresses.map((address) => anyone(address)))
    expect(pages.map(({ status }) => status)).toEqual(addresses.map(() => 200))
    const texts = await Promise.all(pages.map((page) => page.text()))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toStartWith('<!doctype html>')
    expect(pages[0]?.headers.get('content-type')).toBe('text/html;charset=utf-8')
  })

  it('is served at no other address', async () => {
    const unknown = [
      '/tenants',
      '/tenants/',
      '/tenants/acme/',
      '/tenants//definitions',
      '/tenants/acme/definitions/a/b',
      '/Tenants/acme',
      '/sign-in/',
      '/sign-in/other',
      '/index.html',
      '/ui-settings.json/',
      '/favicon.ico',
    ]
    for (const path of unknown) {
      expect(`${path} ${await refusalOf(await anyone(path))}`).toBe(`${path} 404 route_not_found`)
    }
  })

  it('lets nothing run but our own files, and bytes go nowhere but to us, the store and the issuer', async () => {
    for (const address of addresses) {
      expect(guardsOf(await anyone(address))).toEqual({
        'content-security-policy': policy(),
        'cross-origin-opener-policy': 'same-origin-allow-popups',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
    }
  })

  it('lets the browser go where signed URLs lead', async () => {
    const call = await callerOf(service)
    await put(call, 'definitions/a', 'A')
    const ask = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const response = await call(path, { method: 'POST', headers, body: JSON.stringify(body) })
      return new URL(String((await jsonOf(response)).url)).origin
    }
    const download = await ask(`definitions/a/versions/${digestOf('A')}/downloads`, {})
    const upload = await ask('definitions/b/uploads', {
      digest: digestOf('B'),
      size: 1,
      contentType: 'text/plain',
    })
    const connect = /connect-src ([^;]+)/.exec(
      (await anyone('/')).headers.get('content-security-policy') ?? '',
    )
    expect(connect?.[1]?.split(' ')).toEqual(expect.arrayContaining([download, upload]))
  })

  it('may ask the browser for no camera, no location and no other feature that it does not need', async () => {
    const allowed = (await anyone('/')).headers.get('permissions-policy') ?? ''
    const features = allowed.split(', ')
    expect(features).toContain('camera=()')
    expect(features).toContain('geolocation=()')
    expect(features.filter((feature) => !/^[a-z-]+=\(\)$/.test(feature))).toEqual([])
  })

  it('fits its policy: nothing is in line, and nothing is loaded from elsewhere', async () => {
    const page = await (await anyone('/')).text()
    expect(page).not.toMatch(
      /<style|\bstyle="|\bon[a-z]+="|<script[^>]*>[^<]|<iframe|<base|<form|<meta http-equiv/i,
    )
    const loaded = [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address)
    expect(loaded.filter((address) => !/^\/(assets\/[\w.-]+|docs)$/.test(address))).toEqual([])
    for (const address of loaded) expect((await anyone(address)).status).toBe(200)
  })

  it('is asked for each time, and sent again only if it changed', async () => {
    const { headers } = await anyone('/')
    expect(headers.get('cache-control')).toBe('no-cache')
    const etag = headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[\w-]{43}"$/)
    const again = await anyone('/tenants/acme', { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    expect((await anyone('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('counts as changed when its policy is another: what a browser keeps would have the old one', async () => {
    const elsewhere = await serviceInProcess({ ui: true })
    const [here, there] = [await anyone('/'), await (await callerOf(elsewhere, null))('/')]
    expect(here.headers.get('content-security-policy')).not.toBe(there.headers.get('content-security-policy'))
    expect(here.headers.get('etag')).not.toBe(there.headers.get('etag'))
    expect(await here.text()).toBe(await there.text())
    await elsewhere.stop()
  })

  it('stays in touch with the window that opened it where the issuer sends people back, and is the same', async () => {
    const callback = await anyone('/sign-in/callback?code=x&state=y')
    expect(guardsOf(callback)).toEqual({
      ...guardsOf(await anyone('/')),
      'cross-origin-opener-policy': 'unsafe-none',
    })
    expect(await callback.text()).toBe(await (await anyone('/')).text())
  })

  it('is never a document, whatever that is and whatever its name', async () => {
    const call = await callerOf(service)
    const html = '<script>document.title = "stolen"</script>'
    await call('definitions/index.html', {
      method: 'PUT',
      body: html,
      headers: { 'content-type': 'text/html' },
    })
    const page = await anyone('/tenants/acme/definitions/index.html')
    expect(await page.text()).toBe(await (await anyone('/')).text())
    const document = await call('definitions/index.html')
    expect(await document.text()).toBe(html)
    expect(document.headers.get('content-disposition')).toStartWith('attachment')
    expect(document.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    expect(document.headers.get('x-content-type-options')).toBe('nosniff')
    expect(document.headers.get('cross-origin-resource-policy')).toBe('same-origin')
  })
})

describe('a file of the Control UI', () => {
  const coded = (path: string, coding: string, call: Call = {}) =>
    anyone(path, { ...call, headers: { 'accept-encoding': coding } })
  /** As it came over the wire: `fetch` would decode it. */
  const wire = async (path: string, coding: string) => {
    const options = { headers: { 'accept-encoding': coding }, decompress: false }
    return fetch(new URL(path, service.url), options)
  }

  it('may be kept indefinitely, since its name changes with its content', async () => {
    expect(script).toMatch(/^\/assets\/[\w-]+-[a-z0-9]{8}\.js$/)
    const response = await anyone(script)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/javascript;charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  })

  it('has the policy of the page, which a worker would not have otherwise', async () => {
    expect(guardsOf(await anyone(script))).toEqual({
      'content-security-policy': policy(),
      'cross-origin-opener-policy': null,
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })

  it('comes in the coding that the client likes best, and says so', async () => {
    const plain = Buffer.from(await (await wire(script, 'identity')).arrayBuffer())
    const brotli = await wire(script, 'gzip, deflate, br')
    expect([brotli.headers.get('content-encoding'), brotli.headers.get('vary')]).toEqual([
      'br',
      'Accept-Encoding',
    ])
    const small = Buffer.from(await brotli.arrayBuffer())
    expect(small.byteLength).toBeLessThan(plain.byteLength / 2)
    expect(brotliDecompressSync(small).equals(plain)).toBeTrue()
    const gzip = await wire(script, 'gzip, br;q=0.5')
    expect([gzip.headers.get('content-encoding'), gzip.headers.get('vary')]).toEqual([
      'gzip',
      'Accept-Encoding',
    ])
    expect(gunzipSync(Buffer.from(await gzip.arrayBuffer())).equals(plain)).toBeTrue()
    const identity = await wire(script, 'zstd')
    expect([identity.headers.get('content-encoding'), identity.headers.get('vary')]).toEqual([
      null,
      'Accept-Encoding',
    ])
    await identity.arrayBuffer()
  })

  it('has the same headers for HEAD, the length of each coding among them', async () => {
    for (const coding of ['br', 'gzip', 'identity']) {
      const got = await wire(script, coding)
      const size = (await got.arrayBuffer()).byteLength
      const head = await coded(script, coding, { method: 'HEAD' })
      expect([head.status, await head.text()]).toEqual([200, ''])
      expect(head.headers.get('content-length')).toBe(String(size))
      for (const name of [
        'content-encoding',
        'content-type',
        'cache-control',
        'vary',
        'content-security-policy',
      ]) {
        expect(`${name}: ${head.headers.get(name)}`).toBe(`${name}: ${got.headers.get(name)}`)
      }
    }
  })

  it('is 404 where it does not exist, and that answer is not kept', async () => {
    for (const path of [
      '/assets/',
      '/assets/index.js',
      `${script}x`,
      '/assets/../main.ts',
      '/assets/%2e%2e/main.ts',
    ]) {
      const response = await anyone(path)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(`${path} ${await refusalOf(response)}`).toBe(`${path} 404 route_not_found`)
    }
  })
})

describe('/ui-settings.json', () => {
  it('tells the browser what is public, and nothing more', async () => {
    const response = await anyone('/ui-settings.json')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const { issuer, audience, clientId } = service.issuer
    expect(await response.json()).toEqual({
      issuer,
      audience,
      clientId,
      scope: 'openid offline_access documents:read documents:write documents:admin',
      traceUrlTemplate: 'https://traces.example/{traceId}',
      documentBytesMax: 5 * 1024 ** 3,
      hasHistory: false,
    })
  })
})

describe('the Control UI as a whole', () => {
  it('is for GET and HEAD alone', async () => {
    for (const path of ['/', '/tenants/acme', '/sign-in/callback', '/ui-settings.json', script]) {
      const head = await anyone(path, { method: 'HEAD' })
      expect([path, head.status, await head.text()]).toEqual([path, 200, ''])
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const response = await anyone(path, { method })
        expect(response.headers.get('allow')).toBe('GET, HEAD')
        expect(await refusalOf(response)).toBe('405 method_not_allowed')
      }
    }
  })

  it('sets no cookie and lets no other origin read: a request without a token can do nothing', async () => {
    const headers = { origin: 'https://elsewhere.example', cookie: 'session=x' }
    for (const path of ['/', '/ui-settings.json', script]) {
      const response = await anyone(path, { headers })
      expect(response.headers.get('set-cookie')).toBeNull()
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    }
    const written = await anyone('definitions/forged', { method: 'PUT', body: 'x', headers })
    expect(await refusalOf(written)).toBe('401 credentials_missing')
    const preflight = await anyone('definitions/forged', {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'PUT' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('does not exist in a service that is built without it', async () => {
    const bare = await serviceInProcess()
    const caller = await callerOf(bare, null)
    for (const path of ['/', '/tenants/acme', '/ui-settings.json', script]) {
      expect(await refusalOf(await caller(path))).toBe('404 route_not_found')
    }
    await bare.stop()
  })
})
