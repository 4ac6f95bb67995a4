import { describe, expect, it } from 'bun:test'
import type { UiBundle } from '../../../../../service/ui/bundle.ts'
import { appUnderTest } from '../../../../support/service/app-under-test.ts'

const settings = {
  issuer: 'https://login.example.com',
  clientId: 'ui',
  audience: 'documents',
  traceUrlTemplate: null,
  documentBytesMax: 1024 ** 2,
}

const small: UiBundle = {
  index: '<!doctype html>\n',
  assets: [{ path: '/assets/a-12345678.js', contentType: 'text/javascript', bytes: new Uint8Array([59]) }],
}

function appWith(bundle: Promise<UiBundle>) {
  return appUnderTest({}, { bundle, settings, connectOrigins: [] })
}

describe('the pages of the Control UI', () => {
  it('wait until it is built, and nothing else does', async () => {
    const { promise, resolve } = Promise.withResolvers<UiBundle>()
    const app = appWith(promise)
    let answered = false
    const page = app.ask('GET /').then((response) => {
      answered = true
      return response
    })
    expect((await app.ask('GET /ui-settings.json')).status).toBe(200)
    expect(answered).toBeFalse()
    resolve(small)
    expect(await (await page).text()).toBe(small.index)
  })

  it('fail one by one where it cannot be built, and take nothing else down', async () => {
    const broken = Promise.reject(new Error('no sources'))
    broken.catch(() => {})
    const app = appWith(broken)
    const statuses = ['/', '/assets/a-12345678.js', '/ui-settings.json'].map(
      async (path) => (await app.ask(`GET ${path}`)).status,
    )
    expect(await Promise.all(statuses)).toEqual([500, 500, 200])
  })

  it('send a file as it is where no coding makes it smaller', async () => {
    const app = appWith(Promise.resolve(small))
    const response = await app.ask('GET /assets/a-12345678.js', { 'accept-encoding': 'br' })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(await response.text()).toBe(';')
  })

  it('leave all other addresses to the API, its description and the health checks', async () => {
    const app = appWith(Promise.resolve(small))
    for (const path of ['/v1', '/v1/tenants/acme/other', '/docs', '/openapi.json', '/livez', '/other']) {
      expect([path, await (await app.ask(`GET ${path}`)).text()]).not.toEqual([path, small.index])
    }
    expect((await app.ask('GET /tenants')).status).toBe(404)
    expect((await app.ask('GET /tenants/a/b/c/d')).status).toBe(404)
  })

  it('are a few routes in logs and metrics, whatever is asked for', async () => {
    const app = appWith(Promise.resolve(small))
    await app.ask('GET /tenants/acme/definitions/orders.json')
    await app.ask('GET /assets/a-12345678.js')
    await app.ask('HEAD /assets/made-up')
    await app.ask('GET /sign-in/callback')
    const routes = app.answered().map(({ route }) => route)
    expect(routes).toEqual(['/', '/assets/:file', '/assets/:file', '/sign-in/callback'])
  })
})
