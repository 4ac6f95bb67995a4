import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createDocumentsClient, type DocumentsClient } from '../../../service/client/client.ts'
import type { UploadProgress } from '../../../service/client/progress.ts'
import type { TransferLimits } from '../../../service/client/transfer-limits.ts'
import { bytesOf, rejection } from '../../support/client/client-service.ts'
import { folderForTests } from '../../support/folder.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { generatedBlocks, generatedDigest } from '../../support/service/transfer-process.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { minioCapabilities } from '../../support/stores/known-capabilities.ts'
import { stagedKeys } from '../../support/stores/store-contents.ts'

setDefaultTimeout(600_000)

const MiB = 1024 * 1024
const largeBytes = 300 * MiB
/** SHA-256 of {@link generatedBlocks}, by another way than the client's. */
const largeDigest = generatedDigest(largeBytes)

const { service } = await ownService()
const without = stoppedAfterTests(
  await serviceInProcess({ capabilities: { ...minioCapabilities, ticketMethod: 'none' } }),
)
const folder = await folderForTests('client-transfers-')
const large = join(folder, 'large.bin')
const file = await open(large, 'w')
for (const block of generatedBlocks(largeBytes)) await file.writeFile(block)
await file.close()

function clientOf(of: InProcessService, transfers: Partial<TransferLimits> = {}): DocumentsClient {
  return createDocumentsClient({
    ...{ url: of.url, tenant: 'acme', transfers },
    token: () => of.token(),
    fetch: (url, init) => fetchTrusting(of, url, init),
  })
}

/** A store with a certificate of its own authority is trusted by that alone. */
function fetchTrusting({ connection: { ca } }: InProcessService, url: string, init: RequestInit = {}) {
  return fetch(url, ca === undefined ? init : { ...init, tls: { ca } })
}

async function keysUnder(prefix: string): Promise<string[]> {
  const { objects } = await service.store.list({ prefix, limit: 1000 })
  return objects.map(({ key }) => key)
}

describe('a file of 300 MiB', () => {
  it('goes directly to the store and back, byte for byte, and reports its progress', async () => {
    const acme = clientOf(service)
    const ref = { type: 'snapshots', name: 'large.bin' }
    const told: UploadProgress[] = []
    const put = await acme.put(ref, Bun.file(large), { onProgress: (progress) => told.push(progress) })
    expect(put).toMatchObject({ created: true, via: 'ticket', fallbackReason: null })
    expect([put.document.digest, put.document.size]).toEqual([largeDigest, largeBytes])
    const phases = Map.groupBy(told, ({ phase }) => phase)
    expect([...phases.keys()]).toEqual(['hash', 'send', 'verify'])
    expect([...phases.values()].map((phase) => phase.at(-1)?.bytes)).toEqual(Array(3).fill(largeBytes))
    expect(phases.get('send')?.length).toBeGreaterThan(100)

    const received: number[] = []
    const download = await acme.get(ref, {
      direct: true,
      onProgress: ({ bytes }) => void received.push(bytes),
    })
    expect([download.via, download.version.digest]).toEqual(['store', largeDigest])
    expect(await sameAsFile(download.stream, large)).toBe(true)
    expect(received.at(-1)).toBe(largeBytes)
    expect(await stagedKeys(service.store)).toEqual([])
  })

  it('is not sent a second time', async () => {
    const phases = new Set<string>()
    const again = await clientOf(service).put({ type: 'snapshots', name: 'large.bin' }, Bun.file(large), {
      onProgress: ({ phase }) => void phases.add(phase),
    })
    expect([again.created, again.via, [...phases]]).toEqual([false, 'ticket', ['hash']])
  })

  it('leaves nothing published if it is aborted while it is sent', async () => {
    const ref = { type: 'snapshots', name: 'aborted.bin' }
    const stop = new AbortController()
    const put = clientOf(service).put(ref, Bun.file(large), {
      signal: stop.signal,
      onProgress: ({ phase, bytes }) => {
        if (phase === 'send' && bytes > 50 * MiB) stop.abort(new Error('enough'))
      },
    })
    expect(await rejection(put)).toEqual(new Error('enough'))
    expect(await rejection(clientOf(service).head(ref))).toMatchObject({ code: 'document_not_found' })
    expect(await keysUnder('tenants/acme/documents/snapshots/aborted.bin/')).toEqual([])
  })
})

describe('small and unusual documents by ticket', () => {
  it('are the empty one, bytes in memory, and any media type', async () => {
    const acme = clientOf(service, { ticketBytesMin: 0 })
    const ref = { type: 'definitions', name: 'odd' }
    const empty = await acme.put({ ...ref, name: 'empty' }, new Uint8Array())
    expect([empty.via, empty.document.size]).toEqual(['ticket', 0])
    const contentType = 'text/plain;charset=utf-8'
    const text = await acme.put(ref, bytesOf('{"ü":"\r\n--form-"}'), { contentType })
    expect(text).toMatchObject({
      via: 'ticket',
      document: { digest: digestOf(bytesOf('{"ü":"\r\n--form-"}')) },
    })
    expect((await acme.head(ref)).contentType).toContain('text/plain')
  })
})

describe('a store whose tickets are for PUT', () => {
  it('takes documents with exactly the headers of the ticket', async () => {
    const putting = await serviceInProcess({ capabilities: { ...minioCapabilities, ticketMethod: 'PUT' } })
    try {
      const acme = clientOf(putting, { ticketBytesMin: 0 })
      const ref = { type: 'definitions', name: 'put' }
      const bytes = new Uint8Array(5_000_000).fill(7)
      const put = await acme.put(ref, new Blob([bytes]), { contentType: 'text/plain' })
      expect(put).toMatchObject({
        via: 'ticket',
        document: { digest: digestOf(bytes), contentType: 'text/plain' },
      })
      const empty = await acme.put(ref, new Uint8Array())
      expect([empty.via, empty.document.size]).toEqual(['ticket', 0])
    } finally {
      await putting.stop()
    }
  })
})

describe('a store that takes no tickets', () => {
  it('receives the file through the service, and the result says so', async () => {
    const acme = clientOf(without, { ticketBytesMin: 1 })
    const put = await acme.put({ type: 'definitions', name: 'small' }, bytesOf('small'))
    expect(put).toMatchObject({ created: true, via: 'service', fallbackReason: 'tickets_unavailable' })
  })
})

describe('a signed URL', () => {
  it('serves the bytes to anyone who has it', async () => {
    const acme = clientOf(service)
    const ref = { type: 'definitions', name: 'signed.txt' }
    const { digest } = (await acme.put(ref, bytesOf('signed'))).document
    const { url, expiresAt } = await acme.createDownload({ ...ref, digest }, { expiresInSeconds: 60 })
    expect(await (await fetchTrusting(service, url)).text()).toBe('signed')
    const seconds = (Date.parse(expiresAt) - Date.now()) / 1000
    expect([seconds > 30, seconds <= 61]).toEqual([true, true])
  })

  it('does not live longer than the service allows', async () => {
    const asked = clientOf(service).createDownload(
      { type: 'definitions', name: 'signed.txt', digest: digestOf(bytesOf('signed')) },
      { expiresInSeconds: 1_000_000 },
    )
    expect(await rejection(asked)).toMatchObject({ status: 422, code: 'request_invalid' })
  })
})

describe('many versions at once', () => {
  it('are found, signed and deleted by a call each, and each one has its own outcome', async () => {
    const acme = clientOf(service)
    const ref = { type: 'definitions', name: 'many.txt' }
    const item = (text: string) => ({ ...ref, digest: digestOf(bytesOf(text)) })
    for (const text of ['one', 'two']) await acme.put(ref, bytesOf(text))
    await acme.putTag(ref, 'v1', item('one').digest)
    const items = ['one', 'two', 'three'].map(item)
    expect((await acme.have(items)).map(({ present }) => present)).toEqual([true, true, false])
    const [one, , three] = await acme.downloadUrls(items, { expiresInSeconds: 60 })
    expect(three?.error).toMatchObject({ code: 'document_not_found', status: 404 })
    if (one?.error !== null) throw one?.error
    expect(await (await fetchTrusting(service, one.url)).text()).toBe('one')
    expect((await acme.deleteMany(items)).map(({ error }) => error?.code ?? 'gone')).toEqual([
      'version_tagged',
      'gone',
      'document_not_found',
    ])
    expect((await acme.have(items)).map(({ present }) => present)).toEqual([true, false, false])
  })
})

async function sameAsFile(stream: ReadableStream<Uint8Array>, path: string): Promise<boolean> {
  const file = await open(path)
  try {
    let same = true
    for await (const chunk of stream) {
      const { buffer } = await file.read(new Uint8Array(chunk.length), 0, chunk.length)
      same &&= Buffer.compare(buffer, chunk) === 0
    }
    const { bytesRead } = await file.read(new Uint8Array(1), 0, 1)
    return same && bytesRead === 0
  } finally {
    await file.close()
  }
}
