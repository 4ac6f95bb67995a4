import { describe, expect, it } from 'bun:test'
import { refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'

/** A page may load nothing but our own style sheet, and no other page may show it in a frame. */
const contentPolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const { anyone } = await ownService()

describe('/docs', () => {
  it('is a page that anyone may read, in which nothing may run', async () => {
    const response = await anyone('/docs')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html;charset=utf-8')
    expect(response.headers.get('content-security-policy')).toBe(contentPolicy)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('needs nothing but what it loads from here, and everything it loads is there', async () => {
    const page = await (await anyone('/docs')).text()
    const loaded = [...page.matchAll(/<(?:link|script|img|iframe|object|embed|source)\b[^>]*>/g)]
    expect(loaded.map(([element]) => element)).toEqual(['<link rel="stylesheet" href="/docs/style.css">'])
    const style = await anyone('/docs/style.css')
    expect(style.status).toBe(200)
    expect(style.headers.get('content-type')).toBe('text/css;charset=utf-8')
    expect(await style.text()).not.toMatch(/@import|url\(|https?:/)
  })

  it('leads nowhere but to itself and to /openapi.json, and has no style or script in line', async () => {
    const page = await (await anyone('/docs')).text()
    const links = [...page.matchAll(/\b(?:href|src|action|style|on\w+)="([^"]*)"/g)].map(([, value]) => value)
    const elsewhere = links.filter((link) => !link?.startsWith('#'))
    expect(new Set(elsewhere)).toEqual(new Set(['/docs/style.css', '/openapi.json']))
    expect(page).not.toMatch(/<style|<script/)
    const targets = new Set([...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => `#${id}`))
    expect(links.filter((link) => link?.startsWith('#') && !targets.has(link))).toEqual([])
  })

  it('shows every operation, every problem and every schema of /openapi.json', async () => {
    const page = await (await anyone('/docs')).text()
    const described = await (await anyone('/openapi.json')).json()
    const ids = (of: object, prefix: string) => Object.keys(of).map((name) => `id="${prefix}${name}"`)
    const operations = Object.values(described.paths as Record<string, Record<string, unknown>>)
      .flatMap(({ get, put, post, delete: remove }) => [get, put, post, remove])
      .filter((operation) => operation !== undefined)
      .map((operation) => `id="${(operation as { operationId: string }).operationId}"`)
    const expected = [...operations, ...ids(described.components.schemas, 'schema-')]
    expect(expected.filter((id) => !page.includes(id))).toEqual([])
    expect(page).toContain('id="problem-digest_mismatch"')
    expect(page).toContain('id="headDocument"')
  })
})

describe('the pages of the API', () => {
  it('are sent again only if they changed', async () => {
    for (const path of ['/docs', '/openapi.json', '/docs/style.css']) {
      const etag = (await anyone(path)).headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[\w-]{43}"$/)
      const again = await anyone(path, { headers: { 'if-none-match': `W/${etag}` } })
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
      expect((await anyone(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    }
  })

  it('are for GET and HEAD alone', async () => {
    const head = await anyone('/docs', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const posted = await anyone('/openapi.json', { method: 'POST', body: '{}' })
    expect(posted.headers.get('allow')).toBe('GET, HEAD')
    expect(await refusalOf(posted)).toBe('405 method_not_allowed')
  })
})
