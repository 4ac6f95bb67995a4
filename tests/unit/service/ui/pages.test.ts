import { describe, expect, it } from 'bun:test'
import { anyOf, pagesAt } from '../../../../service/http/pages/public-pages.ts'
import { createUiPages } from '../../../../service/http/pages/ui-pages.ts'
import type { UiBundle } from '../../../../service/ui/bundle.ts'

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

function get(bundle: Promise<UiBundle>, path: string): Promise<Response> | Response | undefined {
  const pages = createUiPages({ bundle, settings, connectOrigins: [] })
  const request = new Request(`http://127.0.0.1${path}`, { headers: { 'accept-encoding': 'br' } })
  return pages.find(path)?.answer(request)
}

describe('the pages of the Control UI', () => {
  it('wait until it is built, and nothing else does', async () => {
    const { promise, resolve } = Promise.withResolvers<UiBundle>()
    let answered = false
    const page = Promise.resolve(get(promise, '/')).then((response) => {
      answered = true
      return response
    })
    expect((await get(promise, '/ui-settings.json'))?.status).toBe(200)
    expect(answered).toBeFalse()
    resolve(small)
    expect(await (await page)?.text()).toBe(small.index)
  })

  it('fail one by one where it cannot be built, whoever asks, and take nothing down', async () => {
    const broken = Promise.reject(new Error('no sources'))
    broken.catch(() => {})
    const asked = async (path: string) => get(broken, path)
    await expect(asked('/')).rejects.toThrow('no sources')
    await expect(asked('/assets/a-12345678.js')).rejects.toThrow('no sources')
    expect((await asked('/ui-settings.json'))?.status).toBe(200)
  })

  it('send a file as it is where no coding makes it smaller', async () => {
    const response = await get(Promise.resolve(small), '/assets/a-12345678.js')
    expect(response?.headers.get('content-encoding')).toBeNull()
    expect(await response?.text()).toBe(';')
  })

  it('leave all other addresses to others', () => {
    const pages = createUiPages({ bundle: Promise.resolve(small), settings, connectOrigins: [] })
    for (const path of ['/v1', '/v1/tenants/acme/documents', '/docs', '/openapi.json', '/livez', '/readyz']) {
      expect([path, pages.find(path)]).toEqual([path, undefined])
    }
  })

  it('are a few routes in logs and metrics, whatever is asked for', () => {
    const pages = createUiPages({ bundle: Promise.resolve(small), settings, connectOrigins: [] })
    expect(pages.find('/tenants/acme/definitions/orders.json')?.route).toBe('/')
    expect(pages.find('/assets/a-12345678.js')?.route).toBe('/assets/:file')
    expect(pages.find('/assets/made-up')?.route).toBe('/assets/:file')
    expect(pages.find('/sign-in/callback')?.route).toBe('/sign-in/callback')
  })
})

describe('anyOf', () => {
  it('asks one after the other, and the first that knows an address answers', () => {
    const page = (text: string) => () => new Response(text)
    const [a, b, c] = [page('a'), page('b'), page('c')]
    const pages = anyOf(pagesAt({ '/one': a }), pagesAt({ '/one': b }), pagesAt({ '/two': c }))
    expect(pages.find('/one')).toEqual({ route: '/one', answer: a })
    expect(pages.find('/two')).toEqual({ route: '/two', answer: c })
    expect(pages.find('/three')).toBeUndefined()
  })
})
