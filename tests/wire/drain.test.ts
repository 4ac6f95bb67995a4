import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { acme } from '../support/service/caller.ts'
import { type RawConnection, rawConnection } from '../support/service/raw-connection.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { until } from '../support/waiting.ts'

let service: SpawnedService
let upload: RawConnection

beforeEach(async () => {
  service = await serviceInChild()
  upload = await rawConnection(service.url)
}, 600_000)

afterEach(async () => {
  upload.close()
  await service.stop()
})

const half = 'x'.repeat(40_000)

/** Begins an upload of twice `half` and sends the first half of it. */
async function beginUpload(): Promise<void> {
  const lines = [
    `PUT ${acme}/definitions/running HTTP/1.1`,
    'Host: documents',
    `Authorization: Bearer ${await service.token()}`,
    `Content-Length: ${2 * half.length}`,
  ]
  upload.send(`${lines.join('\r\n')}\r\n\r\n${half}`)
  await untilLogged('access.decided')
}

async function untilLogged(event: string): Promise<void> {
  await until(() => service.logs().some((line) => line.event === event), event)
}

async function statusOf(path: string): Promise<number> {
  return (await fetch(`${service.url}${path}`)).status
}

describe('the service at SIGTERM', () => {
  it('says so in /readyz, serves on, finishes what runs, and exits with 0', async () => {
    await beginUpload()
    service.signal('SIGTERM')
    await untilLogged('service.draining')
    expect(await statusOf('/readyz')).toBe(503)
    expect(await statusOf('/livez')).toBe(200)
    const authorization = `Bearer ${await service.token()}`
    const late = await fetch(`${service.url}${acme}/definitions/late`, {
      method: 'PUT',
      body: 'late',
      headers: { authorization },
    })
    expect(late.status).toBe(201)

    // Well after the notice has ended, when no new connection is taken any more.
    await Bun.sleep(6000)
    upload.send(half)
    const answer = await upload.answer()
    expect(answer?.status).toBe(201)
    expect(JSON.parse(answer?.body ?? '{}')).toMatchObject({ digest: digestOf(half + half) })
    expect(await service.process.exited).toBe(0)
    expect(service.logs().at(-1)).toMatchObject({ event: 'service.stopped' })
  })
})

describe('the service at SIGINT', () => {
  it('finishes what runs without waiting for load balancers, and exits with 0', async () => {
    await beginUpload()
    service.signal('SIGINT')
    await untilLogged('service.draining')
    upload.send(half)
    expect((await upload.answer())?.status).toBe(201)
    expect(await service.process.exited).toBe(0)
  })
})
