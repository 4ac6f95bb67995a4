import { describe, expect, it } from 'bun:test'
import { acme } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { rawConnection } from '../support/service/raw-connection.ts'

const { service, token } = await ownService()

const chunked = 'Transfer-Encoding: chunked\r\n'
const hello = '5\r\nhello\r\n0\r\n\r\n'

/** Text of a request by what is wrong with it, in the order of the table. */
function requests(): Record<string, string> {
  const fields = `Host: documents\r\nAuthorization: Bearer ${token}\r\n`
  const put = `PUT ${acme}/definitions/odd HTTP/1.1\r\n${fields}`
  const get = (more: string) => `GET /livez HTTP/1.1\r\n${fields}${more}\r\n`
  return {
    'HTTP/1.1 without `Host`': 'GET /livez HTTP/1.1\r\n\r\n',
    '`Content-Length` that is no number': `${put}Content-Length: five\r\n\r\nhello`,
    '`Content-Length` with a sign': `${put}Content-Length: -5\r\n\r\nhello`,
    '`Content-Length` beyond 2^63': `${put}Content-Length: 99999999999999999999\r\n\r\nhello`,
    'two different `Content-Length`': `${put}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    'a list as `Content-Length`': `${put}Content-Length: 5, 5\r\n\r\nhello`,
    '`Content-Length` and `Transfer-Encoding`': `${put}Content-Length: 5\r\n${chunked}\r\n${hello}`,
    '`Transfer-Encoding: gzip, chunked`': `${put}Transfer-Encoding: gzip, chunked\r\n\r\n${hello}`,
    'an unknown `Transfer-Encoding`': `${put}Transfer-Encoding: xchunked\r\n\r\n${hello}`,
    '`Transfer-Encoding` twice': `${put}${chunked}${chunked}\r\n${hello}`,
    '`Transfer-Encoding` in HTTP/1.0': `${put.replace('HTTP/1.1', 'HTTP/1.0')}${chunked}\r\n${hello}`,
    'a chunk size that is no number': `${put}${chunked}\r\nzz\r\nhello\r\n0\r\n\r\n`,
    'a negative chunk size': `${put}${chunked}\r\n-5\r\nhello\r\n0\r\n\r\n`,
    'a chunk longer than its size': `${put}${chunked}\r\n5\r\nhello!\r\n0\r\n\r\n`,
    'header fields of 20,000 bytes': get(`X-Long: ${'x'.repeat(20_000)}\r\n`),
    '300 header fields': get(Array.from({ length: 300 }, (_, i) => `X-${i}: x\r\n`).join('')),
    'a request target of 20,000 bytes': `GET /livez?${'x'.repeat(20_000)} HTTP/1.1\r\n${fields}\r\n`,
    'a space before the colon of a field': get('X-Field : x\r\n'),
    'a field folded over two lines': get('X-Field: x\r\n y\r\n'),
    'a NUL in a field': get('X-Field: x\0y\r\n'),
    'a bare CR in a field': get('X-Field: x\ry\r\n'),
    'lines that end in LF alone': 'GET /livez HTTP/1.1\nHost: documents\n\n',
    'a space in the request target': `GET /live z HTTP/1.1\r\n${fields}\r\n`,
    'a NUL in the request target': `GET /live\0z HTTP/1.1\r\n${fields}\r\n`,
    'no HTTP version': 'GET /livez\r\n\r\n',
    'HTTP/2.0 without its preface': `GET /livez HTTP/2.0\r\n${fields}\r\n`,
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'the start of a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    '`OPTIONS *`': `OPTIONS * HTTP/1.1\r\n${fields}\r\n`,
    'an unknown method (`BREW`)': `BREW /livez HTTP/1.1\r\n${fields}\r\n`,
  }
}

/** Status of the answer if it is Bun's own and nothing but a head, and whether the connection is closed then. */
async function behaviourOf(request: string): Promise<string> {
  const connection = await rawConnection(service.url)
  connection.send(request)
  const answer = await connection.answer()
  const closes = await connection.closesWithin(5000)
  connection.close()
  if (answer === null) return closes ? 'closed without an answer' : 'no answer'
  const ours = 'x-correlation-id' in answer.headers
  const head = `${answer.status}${ours ? ', ours' : answer.body === '' ? ', bare' : ', with a body'}`
  return closes ? `${head}, closed` : head
}

describe('what Bun answers by itself', () => {
  it('is what the table in README.md says', async () => {
    const rows: string[] = []
    for (const [wrong, request] of Object.entries(requests()))
      rows.push(`| ${wrong} | ${await behaviourOf(request)} |`)
    const readme = await Bun.file(new URL('README.md', import.meta.url)).text()
    const [, table = ''] = /\| Request with .*\n\|[-| ]+\n([\s\S]*?)\n\n/.exec(readme) ?? []
    expect(rows).toEqual(table.split('\n').map((row) => row.replace(/ +/g, ' ')))
  })

  it('is not logged as a request where the head is broken', async () => {
    const before = service.logs().length
    for (const [wrong, request] of Object.entries(requests()))
      if (!breaksBody(wrong)) await behaviourOf(request)
    expect(service.logs()).toHaveLength(before)
  })

  it('leaves us with half a body where a chunk is broken, and nothing is stored', async () => {
    const before = service.logs().length
    for (const [wrong, request] of Object.entries(requests()))
      if (breaksBody(wrong)) await behaviourOf(request)
    const answered = service
      .logs()
      .slice(before)
      .filter(({ event }) => event === 'request.answered')
    expect(answered.map(({ status }) => status)).toEqual([400, 400, 400])
    const prefix = 'tenants/acme/documents/definitions/odd/'
    expect((await service.store.list({ prefix, limit: 10 })).objects).toEqual([])
  })
})

function breaksBody(wrong: string): boolean {
  return /\bchunk\b/.test(wrong)
}

describe('what Bun lets pass', () => {
  const status = async (request: string) => {
    const connection = await rawConnection(service.url)
    connection.send(request)
    const answer = await connection.answer()
    connection.close()
    return answer?.status
  }
  const put = (name: string) =>
    `PUT ${acme}/definitions/${name} HTTP/1.1\r\nHost: documents\r\nAuthorization: Bearer ${token}\r\n`

  it('is the same Content-Length twice, which counts once', async () => {
    expect(await status(`${put('twice')}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`)).toBe(201)
  })

  it('are chunk extensions and a coding in upper case', async () => {
    expect(await status(`${put('extension')}${chunked}\r\n5;a=b\r\nhello\r\n0\r\n\r\n`)).toBe(201)
    expect(await status(`${put('upper')}Transfer-Encoding: CHUNKED\r\n\r\n${hello}`)).toBe(201)
  })
})
