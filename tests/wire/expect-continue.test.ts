import { describe, expect, it } from 'bun:test'
import { acme } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { rawConnection } from '../support/service/raw-connection.ts'

const { service, token } = await ownService({ documentBytesMax: 1000 })

function uploadHead(fields: string[]): string {
  const lines = [
    `PUT ${acme}/definitions/waits HTTP/1.1`,
    'Host: documents',
    'Expect: 100-continue',
    ...fields,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Statuses of what is answered to the head alone: the interim answer and the final one. */
async function refusalOf(fields: string[]): Promise<(number | undefined)[]> {
  service.storeCalls.length = 0
  const connection = await rawConnection(service.url)
  connection.send(uploadHead(fields))
  const interim = await connection.answer()
  const final = await connection.answer()
  connection.close()
  return [interim?.status, final?.status, service.storeCalls.length]
}

describe('Expect: 100-continue', () => {
  it('gets 100, and then its upload is answered', async () => {
    const connection = await rawConnection(service.url)
    connection.send(uploadHead([`Authorization: Bearer ${token}`, 'Content-Length: 5']))
    expect((await connection.answer())?.statusLine).toBe('HTTP/1.1 100 Continue')
    connection.send('hello')
    const answer = await connection.answer()
    connection.close()
    expect(answer?.status).toBe(201)
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ size: 5 })
  })

  it('works for a body in chunks, too', async () => {
    const connection = await rawConnection(service.url)
    connection.send(uploadHead([`Authorization: Bearer ${token}`, 'Transfer-Encoding: chunked']))
    expect((await connection.answer())?.status).toBe(100)
    connection.send('5\r\nworld\r\n0\r\n\r\n')
    const answer = await connection.answer()
    connection.close()
    expect(answer?.status).toBe(201)
  })

  // Bun sends the interim answer before any code of ours sees the request (README.md of this folder).
  it('gets 413 without a byte of the body, and without a call to the store, for one that is too large', async () => {
    const declared = [`Authorization: Bearer ${token}`, 'Content-Length: 999999999999']
    expect(await refusalOf(declared)).toEqual([100, 413, 0])
  })

  it('gets 401 without a byte of the body when the token is bad', async () => {
    expect(await refusalOf(['Content-Length: 5'])).toEqual([100, 401, 0])
    expect(await refusalOf(['Content-Length: 5', 'Authorization: Bearer x'])).toEqual([100, 401, 0])
  })

  it('gets 404 without a byte of the body for a foreign tenant', async () => {
    const foreign = await service.token({ tenants: ['globex'] })
    expect(await refusalOf(['Content-Length: 5', `Authorization: Bearer ${foreign}`])).toEqual([100, 404, 0])
  })
})
