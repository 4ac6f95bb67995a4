import { afterEach, describe, expect, it } from 'bun:test'
import { AuditUnavailable, createTagHistory } from '../../../../service/http/tag-history.ts'
import { limits } from '../../../../service/limits.ts'
import { createLokiQuery } from '../../../../service/telemetry/loki-query.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'

type Answer = (request: Request) => Response | Promise<Response>
const servers: ReturnType<typeof Bun.serve>[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop(true))))

/** A server that speaks as much of Loki's API as a question needs. */
function lokiThat(answer: Answer) {
  const asked: { url: URL; headers: Headers }[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      asked.push({ url: new URL(request.url), headers: new Headers(request.headers) })
      return answer(request)
    },
  })
  servers.push(server)
  const loki = createLokiQuery({
    url: `http://127.0.0.1:${server.port}/`,
    headers: { 'x-scope-orgid': new Secret('operations') },
    proxy: undefined,
  })
  const audit = createTagHistory(loki, 'the "documents"')
  return { audit, asked, server }
}

function streams(...lines: object[][]): Response {
  const result = lines.map((stream) => ({ values: stream.map((line) => ['1', JSON.stringify(line)]) }))
  return Response.json({ status: 'success', data: { resultType: 'streams', result } })
}

const document = { tenant: 'acme', type: 'bundles', name: 'a.tgz' }
const { signal } = new AbortController()
const before = new Date('2026-11-23T10:00:00.000Z')
const asking = { limit: 100, before, signal }
const [one, two] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]

describe('the audit in Loki', () => {
  it('says who moved which tag from where to where, newest first', async () => {
    const moved = { action: 'tag.put', subject: 'carol', tag: 'production', traceId: 't1', status: 200 }
    const { audit } = lokiThat(() =>
      streams(
        [{ ...moved, time: '2026-11-23T09:00:00.000Z', digest: two, previousDigest: one }],
        [
          { ...moved, time: '2026-11-23T09:30:00.000Z', action: 'tag.delete', previousDigest: two },
          { ...moved, time: '2026-11-23T08:00:00.000Z', action: 'document.put', tag: undefined, digest: one },
        ],
      ),
    )
    const change = { tag: 'production', by: 'carol', traceId: 't1' }
    expect(await audit.changes(document, asking)).toEqual({
      changes: [
        {
          ...change,
          action: 'tag.delete',
          at: '2026-11-23T09:30:00.000Z',
          digest: null,
          previousDigest: two,
        },
        { ...change, action: 'tag.put', at: '2026-11-23T09:00:00.000Z', digest: two, previousDigest: one },
        {
          ...{ ...change, tag: 'latest', action: 'document.put', at: '2026-11-23T08:00:00.000Z' },
          ...{ digest: one, previousDigest: null },
        },
      ],
      since: '2026-11-16T10:00:00.000Z',
    })
  })

  it('is asked about one tenant and document of this service, for a bounded time and number of lines', async () => {
    const { audit, asked } = lokiThat(() => streams())
    await audit.changes(document, { ...asking, tag: 'production' })
    const { pathname, searchParams } = asked[0]?.url ?? new URL('about:blank')
    expect(pathname).toBe('/loki/api/v1/query_range')
    expect(asked[0]?.headers.get('x-scope-orgid')).toBe('operations')
    expect(Object.fromEntries(searchParams)).toEqual({
      query: [
        '{service_name="the \\"documents\\""}',
        'cloudlysis_kind="audit"',
        'cloudlysis_event="access.answered"',
        'cloudlysis_tenant="acme"',
        'json',
        'tenant="acme" and type="bundles" and name="a.tgz"',
        'tag="production" and action=~"tag[.].+" and status<300',
      ].join(' | '),
      start: `${Date.parse('2026-11-16T10:00:00.000Z')}000000`,
      end: `${before.getTime()}000000`,
      limit: '100',
      direction: 'backward',
    })
  })

  it('may have older changes than a full page has, from the millisecond of its last one on', async () => {
    const line = { action: 'tag.put', subject: 'carol', tag: 'v1', time: '2026-11-23T09:00:00.123Z' }
    const { audit } = lokiThat(() => streams([line, line]))
    const { since } = await audit.changes(document, { ...asking, limit: 2 })
    expect(since).toBe('2026-11-23T09:00:00.124Z')
  })

  it('is unavailable if it refuses, redirects, answers nonsense or too much, or is not there', async () => {
    const long = 'x'.repeat(limits.auditAnswerBytesMax + 1)
    const answers: Answer[] = [
      () => new Response('too many outstanding requests', { status: 429 }),
      () => new Response(null, { status: 302, headers: { location: 'http://127.0.0.1:9/' } }),
      () => new Response('<html>'),
      () => Response.json({ status: 'success' }),
      () => Response.json({ long }),
    ]
    for (const answer of answers) {
      const { audit } = lokiThat(answer)
      await expect(audit.changes(document, asking)).rejects.toBeInstanceOf(AuditUnavailable)
    }
    const { audit, server } = lokiThat(() => streams())
    await server.stop(true)
    await expect(audit.changes(document, asking)).rejects.toBeInstanceOf(AuditUnavailable)
  })

  it('is not asked on after the caller has gone', async () => {
    const aborting = new AbortController()
    const { audit } = lokiThat(() => {
      aborting.abort()
      return new Promise<Response>(() => {})
    })
    const asked = audit.changes(document, { ...asking, signal: aborting.signal })
    await expect(asked).rejects.toBeInstanceOf(AuditUnavailable)
  })
})
