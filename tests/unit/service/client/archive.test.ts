import { describe, expect, it } from 'bun:test'
import { checkArchive } from '../../../../service/client/archive.ts'
import {
  ArgumentError,
  ConnectionError,
  DigestMismatchError,
  ProblemError,
  ProtocolError,
  SizeMismatchError,
} from '../../../../service/client/errors.ts'
import { manifestText, withPaths } from '../../../../service/wire/archive.ts'
import { joined, tarEnd, tarHeader, tarPadding } from '../../../../service/wire/tar.ts'
import {
  bytesOf,
  clientOf,
  documents,
  problemAnswer,
  readAll,
  rejection,
  serve,
  serveRaw,
} from '../../../support/client/client-service.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { streamOf } from '../../../support/stores/bodies.ts'

/** Bytes of each version by its name, with the longest name there is, and none at all. */
const contents: Record<string, string> = {
  a: 'content of a',
  empty: '',
  block: 'x'.repeat(512),
  ['n'.repeat(128)]: 'of a long name',
}
const versions = Object.entries(contents).map(([name, text]) => ({
  ...{ type: 'definitions', name, digest: digestOf(bytesOf(text)), size: text.length },
}))
const items = versions.map(({ type, name, digest }) => ({ type, name, digest }))

/** An archive as the service makes it, of these versions or of others that it takes for them. */
function archiveOf(named = versions): Uint8Array<ArrayBuffer> {
  const file = (path: string, bytes: Uint8Array) =>
    joined([tarHeader(path, bytes.length), bytes, tarPadding(bytes.length)])
  const placed = withPaths(named)
  const manifest = file('manifest.json', bytesOf(manifestText(placed)))
  const files = placed.map(({ path, name }) => file(path, bytesOf(contents[name] ?? '')))
  return joined([manifest, ...files, tarEnd])
}

const whole = archiveOf()
const answer = (bytes: Uint8Array<ArrayBuffer>, size = bytes.length) =>
  new Response(bytes, { headers: { 'archive-size': String(size) } })
const inPieces = (bytes: Uint8Array, size: number) =>
  streamOf(
    ...Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    ),
  )

describe('client.archive', () => {
  it('asks for the versions, and gives the archive and its size', async () => {
    const asked: unknown[] = []
    using server = serve(async (request, { pathname }) => {
      asked.push(`${request.method} ${pathname.slice(documents.length)}`, await request.json())
      return answer(whole)
    })
    const progress: number[] = []
    const onProgress = ({ bytes }: { bytes: number }) => void progress.push(bytes)
    const { stream, sizeBytes } = await clientOf(server.url).archive(items, { onProgress })
    expect(sizeBytes).toBe(whole.length)
    const read = new Uint8Array(await new Response(stream).arrayBuffer())
    expect(digestOf(read)).toBe(digestOf(whole))
    expect(asked).toEqual(['POST /archive', { documents: items }])
    expect(progress.at(-1)).toBe(whole.length)
  })

  it('errors at the end of an archive of other versions, of fewer, or in another order', async () => {
    const [first, ...others] = versions
    const asked = items.slice(0, 1)
    for (const held of [others, others.slice(0, 1), versions]) {
      using server = serve(() => answer(archiveOf(held)))
      const { stream } = await clientOf(server.url).archive(asked)
      expect((await readAll(stream)).error).toBeInstanceOf(ProtocolError)
    }
    using server = serve(() => answer(archiveOf([...others, first] as typeof versions)))
    const { stream } = await clientOf(server.url).archive(items)
    expect((await readAll(stream)).error).toBeInstanceOf(ProtocolError)
  })

  it('errors for bytes with another digest, and for another number of bytes than announced', async () => {
    const damaged = whole.slice()
    const at = Buffer.from(whole).indexOf('content of a')
    damaged[at] = 0
    using server = serve(() => answer(damaged))
    const { stream } = await clientOf(server.url).archive(items)
    expect((await readAll(stream)).error).toBeInstanceOf(DigestMismatchError)
    using shorter = serve(() => answer(whole, whole.length - 1))
    const { stream: tooLong } = await clientOf(shorter.url).archive(items)
    expect((await readAll(tooLong)).error).toBeInstanceOf(SizeMismatchError)
    using nameless = serve(() => new Response(whole))
    expect(await rejection(clientOf(nameless.url).archive(items))).toBeInstanceOf(ProtocolError)
  })

  it('errors if the connection breaks', async () => {
    const head = `HTTP/1.1 200 OK\r\narchive-size: ${whole.length}\r\ntransfer-encoding: chunked\r\n\r\n`
    const piece = `${(100).toString(16)}\r\n${Buffer.from(whole.subarray(0, 100)).toString('latin1')}\r\n`
    using server = await serveRaw(Buffer.from(head + piece, 'latin1'))
    const { stream } = await clientOf(server.url).archive(items)
    expect((await readAll(stream)).error).toBeInstanceOf(ConnectionError)
  })

  it('names what is absent, also a thousand versions, and refuses names without their form', async () => {
    const absent = Array.from({ length: 1000 }, (_, at) => ({
      ...{ type: 'd'.repeat(63), name: `${at}`.padStart(128, '0'), digest: digestOf('absent') },
    }))
    using server = serve(() => problemAnswer(404, { code: 'document_not_found', detail: 'None.', absent }))
    const error = await rejection(clientOf(server.url).archive(absent))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'document_not_found', extensions: { absent } })
    const malformed = clientOf('http://127.0.0.1:9').archive([{ ...absent[0], name: '../..' } as never])
    expect(await rejection(malformed)).toBeInstanceOf(ArgumentError)
  })
})

describe('client.archiveLink', () => {
  it('returns the link as an address of the service, below the path that the service has', async () => {
    const expiresAt = '2026-11-23T10:05:00.000Z'
    const path = '/v1/tenants/acme/archives/header.payload.signature'
    const asked: unknown[] = []
    using server = serve(async (request, { pathname }) => {
      asked.push(`${request.method} ${pathname}`, await request.json())
      return Response.json({ url: path, expiresAt }, { status: 201 })
    })
    const url = `${server.url}/behind/`
    expect(await clientOf(url).archiveLink(items)).toEqual({ url: `${server.url}/behind${path}`, expiresAt })
    expect(asked).toEqual([`POST /behind${documents}/archives`, { documents: items }])
  })
})

describe('checkArchive', () => {
  it('returns what the manifest names, however the bytes come', async () => {
    for (const size of [1, 7, 511, 512, 4096, whole.length])
      expect(await checkArchive(inPieces(whole, size))).toEqual(withPaths(versions))
  })

  it('notices every byte that is another one', async () => {
    const unnoticed: number[] = []
    for (let at = 0; at < whole.length; at += 1) {
      const changed = whole.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      const error = await rejection(checkArchive(streamOf(changed))).catch(() => unnoticed.push(at))
      if (!(error instanceof ProtocolError || error instanceof DigestMismatchError)) unnoticed.push(at)
    }
    expect(unnoticed).toEqual([])
  })

  it('notices that bytes are missing at the end, or that there are more', async () => {
    for (let length = 0; length < whole.length; length += 97)
      expect(await rejection(checkArchive(streamOf(whole.subarray(0, length))))).toBeInstanceOf(ProtocolError)
    const longer = joined([whole, new Uint8Array(1)])
    expect(await rejection(checkArchive(streamOf(longer)))).toBeInstanceOf(ProtocolError)
  })
})
