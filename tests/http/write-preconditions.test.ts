import { describe, expect, it } from 'bun:test'
import { jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { type RawConnection, rawConnection } from '../support/service/raw-connection.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { until } from '../support/waiting.ts'

const { service, token, call } = await ownService()

const path = (name: string) => `definitions/${name}`

function upload(name: string, body: string, conditions: Record<string, string>): Promise<Response> {
  return call(path(name), { method: 'PUT', body, headers: conditions })
}

function move(name: string, tag: string, digest: string, conditions: Record<string, string>) {
  const { body, headers } = jsonBody({ digest })
  return call(`${path(name)}/tags/${tag}`, { method: 'PUT', body, headers: { ...headers, ...conditions } })
}

async function contentOf(name: string): Promise<string> {
  return (await call(path(name))).text()
}

/** Begins an upload of so many bytes, which the caller sends. */
async function slowUpload(name: string, size: number, condition: string): Promise<RawConnection> {
  const connection = await rawConnection(service.url)
  const head = [
    `PUT /v1/tenants/acme/documents/${path(name)} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${size}`,
    condition,
  ]
  connection.send(`${head.join('\r\n')}\r\n\r\n`)
  return connection
}

describe('If-None-Match: * on an upload', () => {
  const first = { 'if-none-match': '*' }

  it('creates a document that is not there, and refuses to touch one that is', async () => {
    expect((await upload('first', 'A', first)).status).toBe(201)
    for (const body of ['A', 'B'])
      expect(await refusalOf(await upload('first', body, first))).toBe('412 precondition_failed')
    expect(await contentOf('first')).toBe('A')
    expect((await call(`${path('first')}/versions/${digestOf('B')}`, { method: 'HEAD' })).status).toBe(404)
  })

  it('lets exactly one of many racers create it', async () => {
    const bodies = Array.from({ length: 8 }, (_, at) => `racer ${at}`)
    const answers = await Promise.all(bodies.map((body) => upload('raced', body, first)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(412)])
    const winner = bodies[answers.findIndex(({ status }) => status === 201)]
    expect(await contentOf('raced')).toBe(`${winner}`)
  })

  it('creates a document again whose versions were all deleted', async () => {
    await put(call, path('emptied'), 'A')
    await call(`${path('emptied')}/versions/${digestOf('A')}`, { method: 'DELETE' })
    expect((await upload('emptied', 'A', first)).status).toBe(201)
  })
})

describe('If-Match on an upload', () => {
  it('replaces the version that "latest" points to, and refuses once it points to another one', async () => {
    const { headers } = await upload('guarded', 'A', {})
    const etag = headers.get('etag') ?? ''
    const replaced = await upload('guarded', 'B', { 'if-match': `"other", ${etag}` })
    expect(replaced.status).toBe(201)
    expect(await refusalOf(await upload('guarded', 'C', { 'if-match': etag }))).toBe(
      '412 precondition_failed',
    )
    expect(await contentOf('guarded')).toBe('B')
  })

  it('refuses where there is no document, also for "*"', async () => {
    for (const condition of ['*', `"${digestOf('A')}"`])
      expect(await refusalOf(await upload('absent', 'A', { 'if-match': condition }))).toBe(
        '412 precondition_failed',
      )
    expect((await call(path('absent'))).status).toBe(404)
  })

  it('compares strongly, If-None-Match weakly', async () => {
    await put(call, path('compared'), 'A')
    const weak = `W/"${digestOf('A')}"`
    for (const header of ['if-match', 'if-none-match'])
      expect((await upload('compared', 'B', { [header]: weak })).status).toBe(412)
    expect((await upload('compared', 'B', { 'if-none-match': `"${digestOf('B')}"` })).status).toBe(201)
  })
})

describe('an upload whose condition does not hold', () => {
  it('is refused before its body is read', async () => {
    await put(call, path('unread'), 'A')
    const connection = await slowUpload('unread', 1_000_000, 'If-None-Match: *')
    expect((await connection.answer())?.status).toBe(412)
    connection.close()
  })

  it('is refused at its end if "latest" moves meanwhile: the version is there, named, and not the latest', async () => {
    await put(call, path('late'), 'A')
    service.storeCalls.length = 0
    const connection = await slowUpload('late', 4, `If-Match: "${digestOf('A')}"`)
    connection.send('sl')
    await until(() => service.storeCalls.includes('getWhole'), 'the condition to be checked')
    await put(call, path('late'), 'B')
    connection.send('ow')
    const answer = await connection.answer()
    connection.close()
    expect(answer?.status).toBe(412)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      code: 'precondition_failed',
      digest: digestOf('slow'),
    })
    expect(await contentOf('late')).toBe('B')
    expect(await (await call(`${path('late')}/versions/${digestOf('slow')}`)).text()).toBe('slow')
  })
})

describe('If-None-Match: * on a tag', () => {
  it('makes a tag that is not there, and lets exactly one of many racers make it', async () => {
    for (const body of ['A', 'B', 'C']) await put(call, path('tagged'), body)
    const race = ['A', 'B', 'C'].map((body) =>
      move('tagged', 'stable', digestOf(body), { 'if-none-match': '*' }),
    )
    const answers = await Promise.all(race)
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 412, 412])
    const winner = ['A', 'B', 'C'][answers.findIndex(({ status }) => status === 201)] ?? ''
    const { digest } = await jsonOf(await call(`${path('tagged')}/tags/stable`))
    expect(digest).toBe(digestOf(winner))
  })

  it('refuses a tag that is there, and "latest" of every document', async () => {
    await put(call, path('held'), 'A')
    expect((await move('held', 'stable', digestOf('A'), {})).status).toBe(201)
    for (const tag of ['stable', 'latest'])
      expect(await refusalOf(await move('held', tag, digestOf('A'), { 'if-none-match': '*' }))).toBe(
        '412 precondition_failed',
      )
  })
})

describe('preconditions that a write does not know', () => {
  it('are refused on an upload, and nothing is stored', async () => {
    const date = new Date().toUTCString()
    const answer = await upload('unknown', 'A', { 'if-unmodified-since': date })
    expect(await jsonOf(answer)).toMatchObject({
      status: 422,
      code: 'request_invalid',
      detail: 'If-Unmodified-Since is not taken here. Leave it out.',
    })
    expect((await upload('unknown', 'A', { 'if-none-match': 'unquoted' })).status).toBe(422)
    expect((await call(path('unknown'))).status).toBe(404)
    expect((await upload('unknown', 'A', {})).status).toBe(201)
  })

  it('are refused on the deletion of a version, which stays', async () => {
    await put(call, path('kept'), 'A')
    const version = `${path('kept')}/versions/${digestOf('A')}`
    const guarded = await call(version, { method: 'DELETE', headers: { 'if-match': '"x"' } })
    expect(await refusalOf(guarded)).toBe('422 request_invalid')
    expect((await call(version, { method: 'HEAD' })).status).toBe(200)
    expect((await call(version, { method: 'DELETE' })).status).toBe(204)
  })

  it('are refused on the removal of a tag where they are not If-Match', async () => {
    await put(call, path('untagged'), 'A')
    await move('untagged', 'stable', digestOf('A'), {})
    const tag = `${path('untagged')}/tags/stable`
    const other = await call(tag, { method: 'DELETE', headers: { 'if-none-match': '"x"' } })
    expect(await refusalOf(other)).toBe('422 request_invalid')
    expect((await call(tag, { method: 'DELETE', headers: { 'if-match': '*' } })).status).toBe(204)
  })
})
