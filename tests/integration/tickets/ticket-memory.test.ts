import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { recordFigure } from '../../support/figures.ts'
import { peakOverIdle } from '../../support/service/resident-memory.ts'
import { KiB, MiB, pathOf } from '../../support/service/sample-documents.ts'
import { serviceInChild } from '../../support/service/service-for-tests.ts'
import type { StoreTransfer } from '../../support/service/ticket-transfer-process.ts'
import type { Ticket } from '../../support/service/ticket-upload.ts'
import { generatedDigest } from '../../support/service/transfer-process.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { startPrivateStore, storeEnvironment } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const GiB = 1024 * MiB
const transferProcess = fileURLToPath(
  new URL('../../support/service/ticket-transfer-process.ts', import.meta.url),
)
const streamingService = fileURLToPath(new URL('../../support/service/streaming-service.ts', import.meta.url))

const store = stoppedAfterTests(await startPrivateStore())

interface MeasuredService {
  pid: number
  url: string
  token: string
  stop(): Promise<unknown>
}

/** The real one, which asks the store and finds that it need not read what was uploaded. */
async function probing(): Promise<MeasuredService> {
  const service = await serviceInChild({ store })
  return { pid: service.process.pid, url: service.url, token: await service.token(), stop: service.stop }
}

async function streaming(): Promise<MeasuredService> {
  const child = Bun.spawn([process.execPath, streamingService], {
    env: { ...process.env, ...storeEnvironment('minio', store) },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { value } = await child.stdout.getReader().read()
  const { url, token } = JSON.parse(new TextDecoder().decode(value))
  const stop = async () => {
    await child.stdin.end()
    return child.exited
  }
  return { pid: child.pid, url, token, stop }
}

async function post({ url, token }: MeasuredService, path: string, body: unknown): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Asks until the status is no longer `pending`. */
function settled(pending: number, ask: () => Promise<Response>): Promise<Response> {
  return until(async () => {
    const response = await ask()
    return response.status !== pending && response
  })
}

/** Makes another process do the transfer and returns what it prints. */
async function transfer(what: StoreTransfer): Promise<string> {
  const child = Bun.spawn([process.execPath, transferProcess], {
    stdin: new Blob([JSON.stringify(what)]),
    stdout: 'pipe',
    stderr: 'inherit',
  })
  return new Response(child.stdout).text()
}

/** An upload by ticket and a signed download of it, all bytes between other processes and the store. */
async function thereAndBack(service: MeasuredService, size: number): Promise<void> {
  const digest = generatedDigest(size)
  const path = pathOf('snapshots', `${size}.bin`)
  const request = { digest, size, contentType: 'application/octet-stream' }
  // 503 until the store is known.
  const asked = await settled(503, () => post(service, `${path}/uploads`, request))
  expect(asked.status).toBe(201)
  const ticket = (await asked.json()) as Ticket
  expect(await transfer({ upload: ticket, size })).toBe(`uploaded ${size}`)
  const complete = () => post(service, `${path}/uploads/${ticket.id}/complete`, { ticket: ticket.ticket })
  expect((await settled(202, complete)).status).toBe(201)
  const signed = await post(service, `${path}/versions/${digest}/downloads`, {})
  const { url } = (await signed.json()) as { url: string }
  expect(await transfer({ download: url })).toBe(`200 ${digest}`)
}

/** MiB at the peak of a transfer of 2 GiB there and back, over what the service has after some small ones. */
async function peakOfTransfer(title: string, start: () => Promise<MeasuredService>): Promise<number> {
  const service = await start()
  try {
    for (const size of [4 * KiB, 300 * KiB, 2 * MiB]) {
      await thereAndBack(service, size)
    }
    const peak = await peakOverIdle(service.pid, () => thereAndBack(service, 2 * GiB))
    recordFigure('ticketMemory', { name: `2 GiB there and back, ${title}`, value: peak, unit: 'MiB' })
    return peak
  } finally {
    await service.stop()
  }
}

describe('peak memory of the service over idle, for 2 GiB by ticket and a signed download', () => {
  it('stays below 16 MiB if the store enforced the digest and honours the pin', async () => {
    expect(await peakOfTransfer('copied inside the store', probing)).toBeLessThan(16)
  })

  it('stays below 64 MiB if the completion has to stream', async () => {
    expect(await peakOfTransfer('streamed', streaming)).toBeLessThan(64)
  })
})
