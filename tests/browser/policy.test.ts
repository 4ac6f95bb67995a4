import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { filesOnDisk, upload } from '../support/browser/files.ts'
import { openScene } from '../support/browser/scene.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const scene = stoppedAfterTests(await openScene())
const files = await filesOnDisk()
const page = (await scene.signedIn(scene.people.alice, '/tenants/acme')).page

/** The directives of the policy that came with the page. */
async function policy(): Promise<Map<string, string[]>> {
  const answer = await fetch(`${scene.service.url}/tenants/acme`)
  const directives = (answer.headers.get('content-security-policy') ?? '').split('; ')
  return new Map(
    directives.map((directive) => [directive.split(' ')[0] ?? '', directive.split(' ').slice(1)]),
  )
}

/**
 * What the page complained about while that happened; it is expected, and taken out of the recording. Complaints may
 * arrive later than what they are about is over: so many are waited for as name each of these.
 */
async function complaintsOf(about: readonly string[], happening: () => Promise<unknown>): Promise<string[]> {
  const { complaints } = scene.browser.recording
  const before = complaints.length
  await happening()
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))
  await eventually(() => {
    const left = complaints.slice(before)
    return about.filter((name) => {
      const at = left.findIndex((complaint) => complaint.includes(name))
      return left.splice(at < 0 ? left.length : at, 1).length === 0
    })
  }, [])
  return complaints.splice(before)
}

/** Another origin, which would let any page in. */
function elsewhereThatCounts(onRequest: () => void) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => {
      onRequest()
      return new Response('', { headers: { 'access-control-allow-origin': '*' } })
    },
  })
}

describe('The Content Security Policy of the UI', () => {
  it('is strict: our own files alone, and nothing inline', async () => {
    const directives = await policy()
    expect(directives.get('default-src')).toEqual(["'none'"])
    expect(directives.get('script-src')).toEqual(["'self'"])
    expect(directives.get('style-src')).toEqual(["'self'"])
    expect(directives.get('frame-ancestors')).toEqual(["'none'"])
    expect([...directives.values()].flat().filter((source) => /unsafe|\*|data:|blob:/.test(source))).toEqual(
      [],
    )
  })

  it('lets the page talk to the service, the store and the issuer, and to no other origin', async () => {
    const { service, provider } = scene
    expect((await policy()).get('connect-src')?.toSorted()).toEqual(
      ["'self'", service.connection.endpoint, provider.issuer].toSorted(),
    )
  })

  it('keeps a script that got into the page from running', async () => {
    const complaints = await complaintsOf(['script-src', 'script-src', 'script-src'], () =>
      page.evaluate(() => {
        const script = document.createElement('script')
        script.textContent = 'document.title = "owned"'
        document.body.append(script)
        const image = document.createElement('img')
        image.setAttribute('onerror', 'document.title = "owned"')
        image.src = '/nothing.png'
        document.body.append(image)
        const link = document.createElement('a')
        link.href = 'javascript:document.title="owned"'
        document.body.append(link)
        link.click()
      }),
    )
    expect(await page.title()).not.toBe('owned')
    expect(complaints.filter((complaint) => !complaint.includes('Content Security Policy'))).toEqual([])
  })

  it('keeps a script of another origin out', async () => {
    const elsewhere = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () =>
        new Response('document.title = "owned"', { headers: { 'content-type': 'text/javascript' } }),
    })
    const complaints = await complaintsOf(['script-src'], () =>
      page.evaluate(
        (url) =>
          new Promise((done) => {
            const script = document.createElement('script')
            script.src = url
            script.onload = done
            script.onerror = done
            document.body.append(script)
          }),
        elsewhere.url.href,
      ),
    )
    await elsewhere.stop(true)
    expect(await page.title()).not.toBe('owned')
    expect(complaints).toEqual([expect.stringContaining('Content Security Policy')])
  })

  it('lets nothing out: no request, beacon, image, form or socket to another origin', async () => {
    let asked = 0
    const elsewhere = elsewhereThatCounts(() => asked++)
    const told = ['connect-src', 'connect-src', 'connect-src', 'img-src', 'form-action']
    const complaints = await complaintsOf(told, () =>
      page.evaluate(async (url) => {
        await fetch(url).catch(() => {})
        navigator.sendBeacon(url, 'token')
        new Image().src = url
        try {
          new WebSocket(url.replace('http', 'ws'))
        } catch {}
        const form = document.createElement('form')
        form.action = url
        form.method = 'post'
        document.body.append(form)
        form.submit()
      }, elsewhere.url.href),
    )
    await elsewhere.stop(true)
    expect(asked).toBe(0)
    expect(complaints.filter((complaint) => !complaint.includes('Content Security Policy'))).toEqual([])
  })

  it('holds for the worker of the transfers too', async () => {
    const { page, close } = await scene.signedIn(scene.people.alice, '/tenants/acme/definitions')
    const started = page.waitForEvent('worker')
    await upload(page, await files.write('small.json', new TextEncoder().encode('{}')))
    const worker = await started
    let asked = 0
    const elsewhere = elsewhereThatCounts(() => asked++)
    const outcome = await worker.evaluate(
      (url) =>
        fetch(url).then(
          () => 'got out',
          () => 'kept in',
        ),
      elsewhere.url.href,
    )
    await elsewhere.stop(true)
    expect([outcome, asked]).toEqual(['kept in', 0])
    await close()
  })

  it('lets no other page frame it', async () => {
    const frame = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () =>
        new Response(`<iframe src="${scene.service.url}"></iframe>`, {
          headers: { 'content-type': 'text/html' },
        }),
    })
    const { page, close } = await scene.browser.newWindow()
    await page.goto(frame.url.href)
    const [, framed] = page.frames()
    expect(await framed?.getByRole('button').count()).toBe(0)
    const { complaints } = scene.browser.recording
    await eventually(() => complaints.length > 0, true)
    await close()
    await frame.stop(true)
    expect(complaints.splice(0)).toEqual([expect.stringContaining('frame-ancestors')])
  })
})
