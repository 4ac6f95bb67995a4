import { describe, expect, it } from 'bun:test'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../compose/servers/server-process.ts'
import { folderForTests } from '../support/folder.ts'
import { ownService } from '../support/service/own-service.ts'
import { rawConnection } from '../support/service/raw-connection.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { until } from '../support/waiting.ts'

/** The address from which the proxy talks to the service; clients have 127.0.0.1. */
const proxyAddress = '127.0.0.3'
const { service, token } = await ownService({ trustedProxies: proxyAddress })
const proxy = await startProxy()

/** HAProxy with the configuration of the stack, without its certificate and the name server of the engine. */
async function startProxy() {
  const [port, livezPort] = [await freePort(), await freePort()]
  const shipped = await Bun.file(resolve(import.meta.dir, '../../compose/stacks/proxy/haproxy.cfg')).text()
  const config = shipped
    .replace(/^ {2}bind :8443 .*$/m, `  bind 127.0.0.1:${port}`)
    .replace(/^ {2}bind 127\.0\.0\.1:8404$/m, `  bind 127.0.0.1:${livezPort}`)
    .replace(/^ {2}server-template .*$/m, `  server task ${new URL(service.url).host} source ${proxyAddress}`)
  const folder = await folderForTests('proxy-log-')
  const [file, logFile] = [join(folder, 'haproxy.cfg'), join(folder, 'haproxy.log')]
  await Bun.write(file, config)
  const child = await startServer({
    name: 'haproxy',
    argv: ['/usr/sbin/haproxy', '-db', '-f', file],
    env: {},
    cwd: folder,
    logFile,
    isReady: () => answersOk(`http://127.0.0.1:${livezPort}/livez`),
    readySecondsMax: 30,
    stopSecondsMax: 5,
  })
  stoppedAfterTests(child)
  return { url: `http://127.0.0.1:${port}`, log: () => readFileSync(logFile, 'utf8') }
}

/** Asks through the proxy, and returns what the proxy and the service have logged about it. */
async function linesOf(headers: Record<string, string>) {
  const response = await fetch(`${proxy.url}/v1/tenants/acme/documents`, { headers })
  await response.body?.cancel()
  const id = response.headers.get('x-correlation-id') ?? 'none'
  const ofProxy = () =>
    proxy
      .log()
      .split('\n')
      .find((line) => line.includes(`"correlationId":"${id}"`))
  await until(() => ofProxy() !== undefined)
  return {
    id,
    proxy: JSON.parse(ofProxy() ?? ''),
    service: service.logs().find((line) => line.event === 'request.answered' && line.correlationId === id),
  }
}

describe('a request through HAProxy', () => {
  it('is audited with the address of the client, which a header of its own does not change', async () => {
    const { service: logged, proxy } = await linesOf({ 'x-forwarded-for': '203.0.113.9' })
    expect(proxy).toMatchObject({ client: '127.0.0.1', status: 401 })
    expect(logged).toMatchObject({ clientAddress: '127.0.0.1' })
    const audits = service.logs().filter(({ kind }) => kind === 'audit')
    expect(audits).toMatchObject([{ clientAddress: '127.0.0.1' }])
  })

  it('has one correlation id in both logs, its own if that has the right form', async () => {
    expect(await linesOf({ 'x-correlation-id': 'order-42' })).toMatchObject({ id: 'order-42' })
    for (const id of ['a"b', 'x'.repeat(129), 'a,b']) {
      const { service: logged, proxy } = await linesOf({ 'x-correlation-id': id })
      expect(proxy.correlationId).toMatch(/^[0-9a-f-]{36}$/)
      expect(logged?.correlationId).toBe(proxy.correlationId)
    }
  })
})

describe('an address without a token', () => {
  /** Asks through the proxy from an address of loopback, which is all another one there. */
  const from = (localAddress: string, headers = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${proxy.url}/v1/tenants/acme/documents`, { localAddress, headers }, resolve).on('error', reject)
    })

  it('is answered by the proxy after a hundred requests, and no other address is', async () => {
    const before = service.logs().length
    const statuses: (number | undefined)[] = []
    for (let i = 0; i < 130; i += 1) {
      const response = await from('127.0.0.7')
      response.resume()
      statuses.push(response.statusCode)
      if (response.statusCode === 429) expect(response.headers['retry-after']).toBe('10')
    }
    expect(statuses.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 401))
    expect(statuses.slice(-20)).toEqual(Array.from({ length: 20 }, () => 429))
    const reached = service.logs().slice(before)
    expect(reached.filter(({ event }) => event === 'request.answered').length).toBeLessThan(111)
    const authorization = `Bearer ${await service.token()}`
    const [other, anonymous] = [await from('127.0.0.8', { authorization }), await from('127.0.0.8')]
    expect([other.resume().statusCode, anonymous.resume().statusCode]).toEqual([200, 401])
  })
})

describe('requests on one connection to HAProxy', () => {
  const request = (line: string, fields: string[]) =>
    `${[`${line} HTTP/1.1`, 'Host: documents', `Authorization: Bearer ${token}`, ...fields].join('\r\n')}\r\n\r\n`
  const put = (name: string) =>
    request(`PUT /v1/tenants/acme/documents/definitions/${name}`, ['Transfer-Encoding: chunked'])
  const get = (name: string) => request(`GET /v1/tenants/acme/documents/definitions/${name}`, [])

  it('are answered in their order where they are pipelined, which the service alone does not do', async () => {
    const connection = await rawConnection(proxy.url)
    connection.send(`${put('piped')}5\r\nhello\r\n0\r\n\r\n${get('piped')}${get('absent')}`)
    expect((await connection.answer())?.status).toBe(201)
    expect((await connection.answer())?.body).toBe('hello')
    expect((await connection.answer())?.status).toBe(404)
    connection.close()
  })

  it('do not pay for the trailers of another client', async () => {
    const [one, other] = [await rawConnection(proxy.url), await rawConnection(proxy.url)]
    one.send(`${put('trailed')}5\r\nhello\r\n0\r\nExpires: 0\r\n\r\n`)
    expect((await one.answer())?.status).toBe(400)
    for (let count = 0; count < 5; count += 1) {
      other.send(get('absent'))
      expect((await other.answer())?.status).toBe(404)
    }
    for (const connection of [one, other]) connection.close()
  })
})
