import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { readdir, readFile } from 'node:fs/promises'
import { type BrowserForTests, hangMilliseconds, startBrowser } from '../support/browser/browser.ts'
import { storedIn } from '../support/browser/browser-storage.ts'
import { keptTooLong } from '../support/browser/faults.ts'
import { findAccessKeyId, findSecrets, tokensIn, urlsWith } from '../support/browser/leaks.ts'
import { folderForTests } from '../support/folder.ts'
import { until } from '../support/waiting.ts'

/** A page that does with a secret what pages must not do; the test says which, by the query. */
const page = `<!doctype html><title>Leaky</title><script type="module">
const { searchParams } = new URL(location)
const secret = searchParams.get('secret')
const ways = {
  header: () => fetch('/header', { headers: { 'x-planted': secret } }),
  body: () => fetch('/body', { method: 'POST', body: secret }),
  binary: () => fetch('/binary', { method: 'POST', body: new Blob([secret]) }),
  worker: () => new Promise((done) => {
    const worker = new Worker('/worker.js')
    worker.onmessage = done
    worker.postMessage(secret)
  }),
  storage: () => localStorage.setItem('kept', btoa(secret)),
  // Read to its end: of what no page reads, Chromium need not keep the body.
  answer: () => fetch('/answer').then((answer) => answer.text()),
  style: () => document.body.setAttribute('style', 'color: red'),
  throw: () => setTimeout(() => { throw new Error('no one catches this') }),
  abroad: () => fetch('https://elsewhere.example/').catch(() => {}),
}
await ways[searchParams.get('way')]?.()
document.title = 'Done'
</script><body>`

const worker = `onmessage = async ({ data }) => {
  await fetch('/worker', { method: 'POST', headers: { 'x-planted': data } })
  postMessage('done')
}`

const secret = crypto.randomUUID()
const headers = { 'content-security-policy': "style-src 'self'", 'content-type': 'text/html' }
const javascript = { headers: { 'content-type': 'text/javascript' } }
const noStorage = { origin: 'none', sessionStorage: {}, localStorage: {}, others: [], cookies: [] }
setDefaultTimeout(hangMilliseconds)

let server: Bun.Server<undefined>
let browser: BrowserForTests

beforeAll(async () => {
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response(page, { headers }),
    routes: {
      '/worker.js': () => new Response(worker, javascript),
      '/answer': () => Response.json({ access_token: `a.b.${secret}` }),
      '/favicon.ico': () => new Response(null, { status: 204 }),
    },
  })
  browser = await startBrowser({ socketBytes: true })
})

afterAll(async () => {
  await browser.stop()
  await server.stop(true)
})

/** What is to be seen of the page once it has leaked in that way. */
async function leak(way: string, planted = '') {
  const { exchanges, complaints, settled } = browser.recording
  exchanges.length = 0
  complaints.length = 0
  const window = await browser.newWindow()
  await window.page.goto(`${server.url.origin}/?way=${way}&secret=${planted}`)
  await window.page.waitForFunction(() => document.title === 'Done')
  await settled()
  const stored = await storedIn(window.context)
  await window.close()
  return { recording: { exchanges: [...exchanges] }, complaints: [...complaints], stored, netLogText: '' }
}

describe('findSecrets', () => {
  it('finds nothing where nothing leaks', async () => {
    expect(findSecrets(await leak('none'), [secret])).toEqual([])
  })

  it('refuses to search for nothing', async () => {
    const traces = await leak('none')
    expect(() => findSecrets(traces, [])).toThrow('nothing to search')
  })

  it('finds a secret in a URL', async () => {
    expect(findSecrets(await leak('none', secret), ['another secret', secret])).toContainEqual(
      expect.stringMatching(/^secret 2: GET .*way=none/),
    )
  })

  it('finds one in a header', async () => {
    const { recording, stored } = await leak('header', secret)
    const [, ...later] = recording.exchanges
    const found = findSecrets({ recording: { exchanges: later }, netLogText: '', stored }, [secret])
    expect(found).toContain(`secret 1: GET ${server.url.origin}/header`)
  })

  it('finds one in the body of a request', async () => {
    expect(findSecrets(await leak('body', secret), [secret])).toContain(
      `secret 1: POST ${server.url.origin}/body`,
    )
  })

  it('finds one that a worker sends', async () => {
    expect(findSecrets(await leak('worker', secret), [secret])).toContain(
      `secret 1: POST ${server.url.origin}/worker`,
    )
  })

  it('finds one in an answer', async () => {
    expect(findSecrets(await leak('answer'), [secret])).toContain(`secret 1: GET ${server.url.origin}/answer`)
  })

  it('finds one in bytes that only the socket has seen', async () => {
    await leak('answer')
    await browser.stop().then(({ text: netLogText }) => {
      const found = findSecrets({ recording: { exchanges: [] }, netLogText, stored: [noStorage] }, [secret])
      expect(found).toEqual(['secret 1: the log of the browser'])
    })
    browser = await startBrowser({ socketBytes: true })
  })

  it('finds one that was stored in base64', async () => {
    const { stored } = await leak('storage', secret)
    const found = findSecrets({ recording: { exchanges: [] }, netLogText: '', stored }, [secret])
    expect(found).toEqual([`secret 1: what ${server.url.origin} stored`])
  })

  it('finds the bytes of a key in hexadecimal', async () => {
    const key = crypto.getRandomValues(new Uint8Array(32))
    const found = findSecrets(await leak('header', key.toHex()), [key])
    expect(found.length).toBeGreaterThan(0)
  })
})

describe('keptTooLong', () => {
  it('finds what outlives the tab', async () => {
    const origin = server.url.origin
    expect(keptTooLong({ stored: (await leak('none')).stored, origin })).toEqual([])
    expect(keptTooLong({ stored: (await leak('storage', secret)).stored, origin })).toEqual([
      'the UI has stored kept',
    ])
  })
})

describe('findAccessKeyId', () => {
  it('lets a credential scope pass, and nothing else', () => {
    const id = 'PLANTEDKEYID'
    const traces = (text: string) => ({ recording: { exchanges: [] }, netLogText: text, stored: [] })
    expect(
      findAccessKeyId(traces(`X-Amz-Credential=${id}%2F20260101%2Feu-1%2Fs3%2Faws4_request`), id),
    ).toEqual([])
    expect(findAccessKeyId(traces(`"${id}/20260101/eu-1/s3/aws4_request" and ${id}`), id)).toEqual([
      'the log of the browser',
    ])
  })
})

describe('tokensIn and urlsWith', () => {
  it('know a token by the answer that gave it, and find its signature in a URL', async () => {
    const { recording } = await leak('answer', secret)
    expect(tokensIn(recording)).toEqual([`a.b.${secret}`])
    const urls = recording.exchanges.map(({ url }) => url)
    expect(urlsWith(tokensIn(recording), urls)).toEqual([expect.stringContaining('way=answer')])
  })
})

describe('startBrowser', () => {
  it('writes down what a page complains about: policy violations and uncaught errors', async () => {
    expect((await leak('style')).complaints).toEqual([expect.stringContaining('Content Security Policy')])
    expect((await leak('throw')).complaints).toEqual(['uncaught: no one catches this'])
  })

  it('has no network but loopback', async () => {
    const { recording } = await leak('abroad')
    const abroad = recording.exchanges.find(({ url }) => url.includes('elsewhere'))
    expect(abroad?.failure).toContain('ERR_NAME_NOT_RESOLVED')
    const { urls, addresses } = await browser.stop()
    expect(urls).toContain('https://elsewhere.example/')
    expect(addresses.length).toBeGreaterThan(0)
    expect(addresses.filter((address) => !/^(127\.0\.0\.1|\[::1\]):/.test(address))).toEqual([])
    browser = await startBrowser({ socketBytes: true })
  })

  it('says what a page shows instead of what a test waits for, and which requests failed', async () => {
    const window = await browser.newWindow()
    await window.page.goto(`${server.url.origin}/?way=abroad`)
    await window.page.evaluate(() => document.body.append('Something else'))
    const waited = window.page.getByRole('button', { name: 'Absent' }).waitFor({ timeout: 500 })
    const said = String(await waited.catch((error) => error))
    expect(said).toContain('The page shows: - text: Something else')
    expect(said).toContain('GET https://elsewhere.example/: net::ERR_NAME_NOT_RESOLVED')
    await window.close()
  })

  it('ends with the process that started it, however that ends', async () => {
    const program = `import { startBrowser } from '${import.meta.dir}/../support/browser/browser.ts'
      const { newWindow } = await startBrowser()
      await newWindow()
      console.log('up')
      await new Promise(() => {})`
    const folder = await folderForTests('profiles-')
    const child = Bun.spawn([process.execPath, '-e', program], {
      env: { ...process.env, TMPDIR: folder },
      stdout: 'pipe',
    })
    for await (const _ of child.stdout) break
    expect(await processesWith(folder)).toBeGreaterThan(1)
    child.kill('SIGKILL')
    await child.exited
    await until(async () => (await processesWith(folder)) === 0)
  })
})

/** How many processes have the text among their arguments, as a browser and its parts have their profile. */
async function processesWith(text: string): Promise<number> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes(text)).length
}
