import { describe, expect, it } from 'bun:test'
import { bundleFor, runInNode, runWithoutProcess } from '../../../support/client/client-runtimes.ts'
import {
  digestOf,
  documents,
  problemAnswer,
  serve,
  testToken,
  versionAnswer,
} from '../../../support/client/client-service.ts'

const programBytes = new Uint8Array(300_000).map((_, index) => index % 251)
const digest = digestOf(programBytes)
const expected = {
  created: [true, false, false],
  digests: [digest, digest, digest],
  readBack: true,
  part: [5, 6, 7, 8, 9],
  sentAtEnd: 300_000,
  listed: [true],
  ticketed: [true, 'ticket', 'hash send verify'],
  fromStore: ['store', 300_010],
  absent: 'document_not_found',
}

const rest = {
  contentType: 'application/octet-stream',
  createdAt: '2026-11-23T10:00:00Z',
  createdBy: 'ada',
}

function ticketAt(origin: string) {
  const times = { expiresAt: '2100-01-01T00:00:00Z', completeBefore: '2100-01-01T00:00:00Z' }
  const form = { method: 'POST', url: `${origin}/store`, fields: { key: 'one' } }
  return { id: '0'.repeat(32), ticket: 'ticket', ...form, ...times }
}

async function atStore(
  request: Request,
  url: URL,
  staged: Map<string, Uint8Array<ArrayBuffer>>,
  stored: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<Response> {
  if (request.method === 'GET') return new Response(stored.get(url.searchParams.get('key') ?? ''))
  const form = await request.formData()
  const file = form.get('file')
  if (!(file instanceof Blob)) return new Response(null, { status: 400 })
  staged.set(String(form.get('key')), new Uint8Array(await file.arrayBuffer()))
  return new Response(null, { status: 204 })
}

/** As much of the service as `client-program.ts` meets: versions in memory, `latest` only. */
function serveDocuments() {
  const stored = new Map<string, Uint8Array<ArrayBuffer>>()
  const staged = new Map<string, Uint8Array<ArrayBuffer>>()
  const uploads: Record<string, string>[] = []
  const described = (path: string, bytes: Uint8Array) => {
    const [type = '', name = ''] = path.slice(documents.length + 1).split('/')
    return { tenant: 'acme', type, name, digest: digestOf(bytes), size: bytes.length }
  }
  const server = serve(async (request, url) => {
    const path = url.pathname.replace(/\/(versions|uploads)(\/.*)?$/, '')
    if (path === '/store') return atStore(request, url, staged, stored)
    if (url.pathname.endsWith('/downloads')) {
      return Response.json({ url: `${url.origin}/store?key=${path}`, expiresAt: 'soon' }, { status: 201 })
    }
    if (url.pathname.endsWith('/uploads')) return Response.json(ticketAt(url.origin), { status: 201 })
    if (url.pathname.endsWith('/complete')) {
      const bytes = staged.get('one') ?? new Uint8Array()
      stored.set(path, bytes)
      return Response.json({ ...described(path, bytes), ...rest, tags: ['latest'] }, { status: 201 })
    }
    if (path === documents) {
      const rows = [...stored].map(([key, bytes]) => ({
        ...described(key, bytes),
        storedAt: '2026-11-23T10:00:00Z',
      }))
      return Response.json({ documents: rows, nextCursor: null })
    }
    if (request.method === 'PUT') {
      uploads.push(Object.fromEntries(request.headers))
      const bytes = await request.bytes()
      const status = stored.has(path) ? 200 : 201
      stored.set(path, bytes)
      return Response.json({ ...described(path, bytes), ...rest, tags: ['latest'] }, { status })
    }
    const bytes = stored.get(path)
    if (!bytes) return problemAnswer(404, { code: 'document_not_found' })
    if (request.headers.get('range') !== 'bytes=5-9') return versionAnswer(bytes)
    const headers = { etag: `"${digestOf(bytes)}"`, 'content-range': `bytes 5-9/${bytes.length}` }
    return new Response(bytes.slice(5, 10), { status: 206, headers })
  })
  return { ...server, uploads }
}

describe('the client bundled for browsers', () => {
  it('names no module of a runtime', async () => {
    const bundle = await bundleFor('browser')
    expect(bundle).toContain('createDocumentsClient')
    expect(bundle).not.toMatch(/\bimport\s*[({*"'a-z]|\brequire\s*\(/)
    // Bun fills in a built-in module for browsers with hundreds of kilobytes.
    expect(bundle.length).toBeLessThan(100_000)
  })

  it('works where there is neither Bun nor process, and sends streams as whole bodies with their digest', async () => {
    using server = serveDocuments()
    const input = { url: server.url, token: testToken, tenant: 'acme' }
    expect(await runWithoutProcess(await bundleFor('browser'), input)).toEqual(expected)
    expect(server.uploads.map((headers) => headers['content-length'])).toEqual(['300000', '300000', '300000'])
    expect(server.uploads.map((headers) => 'repr-digest' in headers)).toEqual([true, true, true])
  })
})

describe('the client in Node', () => {
  it('works, and sends streams as they come', async () => {
    using server = serveDocuments()
    const input = { url: server.url, token: testToken, tenant: 'acme' }
    expect(await runInNode(await bundleFor('node'), input)).toEqual(expected)
    expect(server.uploads.map((headers) => headers['transfer-encoding'])).toEqual([
      undefined,
      undefined,
      'chunked',
    ])
  })
})
