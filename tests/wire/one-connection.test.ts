import { describe, expect, it } from 'bun:test'
import { acme } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { type RawAnswer, type RawConnection, rawConnection } from '../support/service/raw-connection.ts'
import { digestOf, keyOf } from '../support/service/sample-documents.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

const documentBytesMax = 100_000

const { service, token } = await ownService({ documentBytesMax })
let connection: RawConnection

/** A request with a good token and, if there is a body, its length. */
function request(line: string, body?: string, fields: string[] = []): string {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`]
  const lines = [
    `${line} HTTP/1.1`,
    'Host: documents',
    `Authorization: Bearer ${token}`,
    ...length,
    ...fields,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

function smuggled(): string {
  return request(`PUT ${acme}/definitions/smuggled`, 'smuggled')
}

async function exists(name: string): Promise<boolean> {
  const prefix = `tenants/acme/documents/definitions/${name}/`
  return (await service.store.list({ prefix, limit: 1 })).objects.length > 0
}

function sizeOf(answer: RawAnswer | null): unknown {
  return (JSON.parse(answer?.body ?? '{}') as { size?: number }).size
}

/** Refused with `status` whose body is sent after the refusal; the next request must be answered for itself. */
async function refusedThenNext(head: string, rest: string): Promise<(number | string | undefined)[]> {
  connection = await rawConnection(service.url)
  connection.send(head)
  const refused = await connection.answer()
  connection.send(rest)
  connection.send(request(`GET ${acme}/definitions/a`))
  const next = await connection.answer()
  connection.close()
  return [refused?.status, next?.status, next?.body]
}

describe('requests on one connection', () => {
  it('are answered one after the other, each with its own body', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/a`, 'hello'))
    expect(sizeOf(await connection.answer())).toBe(5)
    connection.send(request(`GET ${acme}/definitions/a`))
    expect((await connection.answer())?.body).toBe('hello')
    connection.send(request(`HEAD ${acme}/definitions/a`))
    const head = await connection.answer({ toHead: true })
    expect([head?.status, head?.headers['content-length']]).toEqual([200, '5'])
    connection.send(
      request(`GET ${acme}/definitions/a`, undefined, [`If-None-Match: "${digestOf('hello')}"`]),
    )
    expect((await connection.answer())?.status).toBe(304)
    connection.send(request(`DELETE ${acme}/definitions/a/tags/v1`))
    expect((await connection.answer())?.status).toBe(404)
    expect(connection.rest()).toBe('')
    connection.close()
  })

  it('are not corrupted by the body of one that was refused before it came', async () => {
    const body = 'x'.repeat(documentBytesMax + 1)
    const large = request(`PUT ${acme}/definitions/large`, body).slice(0, -body.length)
    expect(await refusedThenNext(large, body)).toEqual([413, 200, 'hello'])

    const foreign = request('PUT /v1/tenants/globex/documents/definitions/a', smuggled())
    const head = foreign.slice(0, -smuggled().length)
    expect(await refusedThenNext(head, smuggled())).toEqual([404, 200, 'hello'])
    expect(await refusedThenNext(head.replace(token, 'bad'), smuggled())).toEqual([401, 200, 'hello'])
    expect(await refusedThenNext(head.replace('PUT', 'PATCH'), smuggled())).toEqual([404, 200, 'hello'])
    expect(await exists('smuggled')).toBe(false)
  })

  it('are not corrupted by a body where none is expected', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`GET ${acme}/definitions/a`, smuggled()))
    expect((await connection.answer())?.body).toBe('hello')
    connection.send(request('GET /livez'))
    expect((await connection.answer())?.status).toBe(200)
    connection.close()
    expect(await exists('smuggled')).toBe(false)
  })
})

describe('pipelined requests', () => {
  it('are never answered for each other: answered in their order, or the connection closes without an answer', async () => {
    const named = (line: string, id: string) => request(line, undefined, [`X-Correlation-Id: ${id}`])
    const live = (id: string) => named('GET /livez', id)
    const read = (id: string) => named(`GET ${acme}/definitions/a`, id)
    const idsOf = async (...requests: string[]) => {
      connection = await rawConnection(service.url)
      connection.send(requests.join(''))
      const ids: unknown[] = []
      for (const _ of requests) {
        const answer = await connection.answer()
        ids.push(answer === null ? 'closed' : answer.headers['x-correlation-id'])
        if (answer === null) break
      }
      connection.close()
      return ids
    }
    expect(await idsOf(live('one'), live('two'))).toEqual(['one', 'two'])
    expect(await idsOf(live('one'), read('two'))).toEqual(['one', 'two'])
    expect(await idsOf(read('one'), live('two'))).toEqual(['closed'])
    expect(await idsOf(read('one'), read('two'))).toEqual(['closed'])
  })
})

describe('bytes after the declared end of a body', () => {
  it('never become part of the document', async () => {
    connection = await rawConnection(service.url)
    connection.send(`${request(`PUT ${acme}/definitions/short`, 'hello')}surplus`)
    await connection.answer()
    connection.close()
    const { objects } = await service.store.list({
      prefix: 'tenants/acme/documents/definitions/short/',
      limit: 9,
    })
    expect(objects.filter(({ size }) => size !== 5)).toEqual([])
  })

  it('close the connection when they come with the body of an unanswered request: Bun reads no request ahead', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/first`, 'hello') + smuggled())
    expect(await connection.answer()).toBe(null)
    expect(await connection.closesWithin(5000)).toBe(true)
    expect(await exists('smuggled')).toBe(false)
  })
})

describe('a chunked body', () => {
  it('gets 413 at the first byte too many, while the client would send without end', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/endless`, undefined, ['Transfer-Encoding: chunked']))
    const chunk = `2710\r\n${'x'.repeat(10_000)}\r\n`
    for (let sent = 0; sent < documentBytesMax; sent += 10_000) connection.send(chunk)
    connection.send('1\r\nx\r\n')
    const answer = await connection.answer()
    connection.close()
    expect([answer?.status, JSON.parse(answer?.body ?? '{}').code]).toEqual([413, 'document_too_large'])
    expect(await exists('endless')).toBe(false)
  })

  it('is stored with trailers in a packet of their own, which are not taken for the next request', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/trailed`, undefined, ['Transfer-Encoding: chunked']))
    connection.send('5\r\nhello\r\n0\r\n')
    const answer = await connection.answer()
    expect([answer?.status, answer?.headers.connection]).toEqual([201, 'close'])
    connection.send('Expires: 0\r\n\r\n')
    expect(await connection.answer()).toBe(null)
    connection.close()
  })

  it('is refused where its trailers come with the last chunk, and stored as a whole or not at all', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/joined`, undefined, ['Transfer-Encoding: chunked']))
    connection.send('5\r\nhello\r\n0\r\nExpires: 0\r\n\r\n')
    expect((await connection.answer())?.status).toBe(400)
    expect(await connection.closesWithin(5000)).toBe(true)
    // The runtime may have passed on the whole body before it met the trailers.
    const whole = keyOf('definitions', 'joined', digestOf('hello'))
    const stored = await keysOf(service.store, 'tenants/acme/documents/definitions/joined/')
    expect(stored.filter((key) => key !== whole)).toEqual([])
  })

  it('publishes nothing when it ends within a chunk', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/cut`, undefined, ['Transfer-Encoding: chunked']))
    connection.send('5\r\nhel')
    await until(() => traceOf('cut'))
    connection.close()
    await untilAnswered('cut')
    expect(await exists('cut')).toBe(false)
  })
})

describe('a body that is shorter than declared', () => {
  it('publishes nothing', async () => {
    connection = await rawConnection(service.url)
    connection.send(request(`PUT ${acme}/definitions/half`, 'hello').slice(0, -2))
    await until(() => traceOf('half'))
    connection.close()
    await untilAnswered('half')
    expect(await exists('half')).toBe(false)
  })
})

/** Returns the trace of the one upload to `name`, as soon as the service has admitted it. */
function traceOf(name: string): unknown {
  return service.logs().find((line) => line.kind === 'audit' && line.name === name)?.traceId
}

/** Waits until the service has given up the one upload to `name`. */
async function untilAnswered(name: string): Promise<void> {
  const isAnswer = ({ event, traceId }: Record<string, unknown>) =>
    event === 'request.answered' && traceId === traceOf(name)
  await until(() => service.logs().some(isAnswer), `the answer to the upload of ${name}`)
}
