import { describe, expect, it } from 'bun:test'
import { callerOf, jsonOf, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'

/** Stands for Loki, whose own answer is in tests/observability. */
const asked: URL[] = []
let answer = () => Response.json({ data: { result: [] } })
const loki = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request) {
    asked.push(new URL(request.url))
    return answer()
  },
})
stoppedAfterTests({ stop: () => loki.stop(true) })
const { service, call } = await ownService({ auditQueryUrl: `http://127.0.0.1:${loki.port}` })

describe('the history of a document', () => {
  it('is what the audit says of its tags', async () => {
    const line = {
      ...{ time: '2026-11-23T09:00:00.000Z', action: 'tag.put', subject: 'carol', tag: 'production' },
      ...{ digest: digestOf('A'), traceId: '0'.repeat(32), status: 200 },
    }
    answer = () => Response.json({ data: { result: [{ values: [['1', JSON.stringify(line)]] }] } })
    const response = await call('bundles/a/history?tag=production&limit=5&before=2026-11-23T10:00:00Z')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { action, tag, digest, traceId } = line
    const change = { tag, action, at: line.time, by: 'carol', digest, previousDigest: null, traceId }
    expect(await jsonOf(response)).toEqual({ changes: [change], since: '2026-11-16T10:00:00.000Z' })
    const { query, limit } = Object.fromEntries(asked.at(-1)?.searchParams ?? [])
    expect(query).toContain('| cloudlysis_tenant="acme" |')
    expect(limit).toBe('5')
  })

  it('is for admins of the tenant alone, and no one else makes the audit be asked', async () => {
    const before = asked.length
    const reader = await callerOf(service, await service.token({ scope: 'documents:read documents:write' }))
    expect(await refusalOf(await reader('bundles/a/history'))).toBe('403 scope_missing')
    const foreign = '/v1/tenants/globex/documents/bundles/a/history'
    expect(await refusalOf(await call(foreign))).toBe('404 document_not_found')
    for (const query of ['tag=a"b', 'before=yesterday', 'before=2026-13-01T00:00:00Z', 'limit=501', 'x=1'])
      expect(await refusalOf(await call(`bundles/a/history?${query}`))).toBe('422 request_invalid')
    expect(asked).toHaveLength(before)
  })

  it('is answered 503 while the audit does not answer, and 501 where none can be asked', async () => {
    answer = () => new Response(null, { status: 500 })
    const failed = await call('bundles/a/history')
    expect(failed.headers.get('retry-after')).toBe('5')
    expect(await refusalOf(failed)).toBe('503 audit_unavailable')
    const { call: callOther } = await ownService()
    expect(await refusalOf(await callOther('bundles/a/history'))).toBe('501 audit_absent')
  })
})
