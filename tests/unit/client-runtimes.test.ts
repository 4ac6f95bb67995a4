import { describe, expect, it } from 'bun:test'
import { bundleFor, runInNode, runWithoutProcess } from './client-runtimes.ts'
import { digestOf, documents, problemAnswer, serve, testToken, versionAnswer } from './client-service.ts'

const programBytes = new Uint8Array(300_000).map((_, index) => index % 251)
const digest = digestOf(programBytes)
const expected = {
  created: [true, false, false],
  digests: [digest, digest, digest],
  readBack: true,
  part: [5, 6, 7, 8, 9],
  sentAtEnd: 300_000,
  listed: [true],
  absent: 'document_not_found',
}

/** As much of the service as `client-program.ts` meets: versions in memory, `latest` only. */
function serveDocuments() {
  const stored = new Map<string, Uint8Array<ArrayBuffer>>()
  const uploads: Record<string, string>[] = []
  const described = (path: string, bytes: Uint8Array) => {
    const [type = '', name = ''] = path.slice(documents.length + 1).split('/')
    return { tenant: 'acme', type, name, digest: digestOf(bytes), size: bytes.length }
  }
  const server = serve(async (request, url) => {
    const path = url.pathname.replace(/\/versions\/.*$/, '')
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
      const rest = {
        contentType: 'application/octet-stream',
        createdAt: '2026-11-23T10:00:00Z',
        createdBy: 'ada',
      }
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
