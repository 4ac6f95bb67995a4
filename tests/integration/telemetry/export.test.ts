import { afterAll, describe, expect, it } from 'bun:test'
import { registerSecret } from '../../support/secrets.ts'
import { callerOf, jsonOf } from '../../support/service/caller.ts'
import type { ReceivedSpan } from '../../support/service/otlp-receiver.ts'
import { probed } from '../../support/service/probed.ts'
import { digestOf, KiB, randomDocument } from '../../support/service/sample-documents.ts'
import { childrenOf, idsOf, startTelemetryScene } from '../../support/service/telemetry-scene.ts'
import { jsonBody, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { until } from '../../support/waiting.ts'

const backendToken = `token-of-the-backend-${crypto.randomUUID()}`
registerSecret(backendToken)

const scene = await startTelemetryScene({
  env: {
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${backendToken}`,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_BSP_SCHEDULE_DELAY: '1',
  },
})
const call = await callerOf(scene.service)
const alice = await ticketCalls(scene.service)
afterAll(() => scene.stop())

/** The SERVER span of a request, once it and everything before it has arrived. */
function spanOf(response: Response): Promise<ReceivedSpan> {
  const { spanId } = idsOf(response)
  return until(() => scene.backend.spans.find((span) => span.spanId === spanId))
}

const callerTrace = '4bf92f3577b34da6a3ce929d0e0e4736'
const callerSpan = '00f067aa0ba902b7'

describe('a request in the traces', () => {
  it('is one SERVER span under the caller’s, with the ids of the answer, and has a CLIENT span per store call', async () => {
    const bytes = randomDocument(KiB)
    const headers = { traceparent: `00-${callerTrace}-${callerSpan}-01`, 'x-correlation-id': 'upload-1' }
    const response = await call('bundles/traced', { method: 'PUT', body: bytes, headers })
    expect(response.status).toBe(201)
    const span = await spanOf(response)
    expect(span).toMatchObject({
      traceId: callerTrace,
      parentSpanId: callerSpan,
      kind: 2,
      name: 'PUT /v1/tenants/:tenant/documents/:type/:name',
      attributes: {
        'http.response.status_code': 201,
        'url.path': '/v1/tenants/acme/documents/bundles/traced',
        'client.address': '127.0.0.1',
        'cloudlysis.correlation_id': 'upload-1',
        'cloudlysis.tenant': 'acme',
        'cloudlysis.document.digest': digestOf(bytes),
      },
      resource: {
        'service.name': 'cloudlysis-documents',
        'service.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
        'deployment.environment.name': 'test',
      },
    })
    const calls = childrenOf(scene.backend.spans, span)
    // The bytes, and the record of a document that is new.
    expect(calls.map(({ name, kind, traceId }) => [name, kind, traceId])).toEqual([
      ['S3 PutObject', 3, callerTrace],
      ['S3 PutObject', 3, callerTrace],
    ])
  })

  it('says which problem was answered', async () => {
    const body = JSON.stringify({ digest: digestOf(randomDocument(KiB)) })
    const headers = { 'content-type': 'application/json' }
    const response = await call('bundles/traced/tags/mine', { method: 'PUT', body, headers })
    const span = await spanOf(response)
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 422,
      'cloudlysis.problem': 'version_unknown',
    })
  })

  it('has a span even if the caller is refused', async () => {
    const anyone = await callerOf(scene.service, null)
    const response = await anyone('bundles/traced')
    expect(response.status).toBe(401)
    const span = await spanOf(response)
    expect(span.name).toBe('GET /v1/tenants/:tenant/documents/:type/:name')
    expect(childrenOf(scene.backend.spans, span)).toEqual([])
  })

  it('does not show a link to an archive, at its address or at another one', async () => {
    await call('bundles/linked', { method: 'PUT', body: 'A' })
    const asked = jsonBody({ documents: [{ type: 'bundles', name: 'linked', digest: digestOf('A') }] })
    const { url } = await jsonOf(await call('archives', { method: 'POST', ...asked }))
    const anyone = await callerOf(scene.service, null)
    const followed = await anyone(String(url))
    expect(followed.status).toBe(200)
    await followed.arrayBuffer()
    const span = await spanOf(followed)
    expect(span).toMatchObject({
      name: 'GET /v1/tenants/:tenant/archives/:link',
      attributes: { 'url.path': '/v1/tenants/:tenant/archives/:link', 'cloudlysis.tenant': 'acme' },
    })
    const astray = await anyone(`${url}/more`)
    expect(astray.status).toBe(401)
    await spanOf(astray)
    const said = JSON.stringify([scene.backend.spans, scene.backend.logs])
    for (const part of String(url).split('/').slice(-1)[0]?.split('.') ?? []) expect(said).not.toContain(part)
  })

  it('has no span if the caller does not record, or for a health check', async () => {
    const quiet = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    const headers = { traceparent: `00-${quiet}-${callerSpan}-00` }
    const response = await call('bundles/traced', { headers })
    await response.body?.cancel()
    expect(response.headers.get('traceparent')).toEndWith('-00')
    await fetch(`${scene.service.url}/readyz`)
    await spanOf(await call('bundles/absent'))
    expect(scene.backend.spans.filter((span) => span.traceId === quiet)).toEqual([])
    expect(
      scene.backend.spans.filter((span) => String(span.attributes['http.route']).startsWith('/readyz')),
    ).toEqual([])
    const alone = scene.backend.spans.filter((span) => span.parentSpanId === undefined)
    expect(alone.filter(({ kind }) => kind === 3)).toEqual([])
  })
})

describe('the log at the backend', () => {
  it('equals the log of standard output line by line, audit lines too', async () => {
    await call('bundles/absent', { headers: { 'x-correlation-id': 'last-of-all' } })
    await until(() =>
      scene.backend.logs.some(
        ({ attributes }) =>
          attributes['cloudlysis.correlation_id'] === 'last-of-all' &&
          attributes['cloudlysis.event'] === 'request.answered',
      ),
    )
    const printed = scene.service.printed().trimEnd().split('\n')
    const received = scene.backend.logs.map(({ body }) => body)
    expect(received).toEqual(printed.slice(0, received.length))
    const kinds = new Set(scene.backend.logs.map(({ attributes }) => attributes['cloudlysis.kind']))
    expect([...kinds].sort()).toEqual(['audit', 'log'])
  })

  it('carries trace and span of the request that wrote it', async () => {
    const response = await call('bundles/absent', { headers: { 'x-correlation-id': 'joined' } })
    const lines = await until(() => {
      const found = scene.backend.logs.filter(
        ({ attributes }) => attributes['cloudlysis.correlation_id'] === 'joined',
      )
      return found.length === 2 && found
    })
    const { traceId, spanId } = idsOf(response)
    expect(lines.map((line) => [line.attributes['cloudlysis.event'], line.traceId, line.spanId])).toEqual([
      ['access.decided', traceId, spanId],
      ['request.answered', traceId, spanId],
    ])
  })
})

describe('the backend', () => {
  it('receives its credentials, which appear nowhere else', async () => {
    await spanOf(await call('bundles/absent'))
    expect(scene.backend.headers.length).toBeGreaterThan(0)
    for (const headers of scene.backend.headers) {
      expect(headers.get('authorization')).toBe(`Bearer ${backendToken}`)
      expect(headers.get('content-type')).toBe('application/json')
    }
    expect(scene.service.printed()).not.toContain(backendToken)
    expect(scene.backend.bytes()).not.toContain(backendToken)
  })

  it('receives nothing that would let its reader transfer or complete', async () => {
    await probed(scene.service)
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('secret', bytes)
    // A refusal quotes, and so does a failed call to the store.
    await sendTicket(ticket, bytes, {
      fields: { 'X-Amz-Signature': 'x' },
      headers: { 'content-type': 'x/y' },
    })
    await alice.complete('secret', { ...ticket, ticket: `${ticket.ticket}x` })
    const completed = await alice.complete('secret', ticket)
    const download = await call(`bundles/secret/versions/${digestOf(bytes)}/downloads`, { method: 'POST' })
    const { url } = await jsonOf(download)
    // Clients make mistakes too: credentials in place of a name, and in the query.
    await call(`bundles/${encodeURIComponent(String(url))}`)
    await call(`bundles/secret${new URL(String(url)).search}`)
    const last = await call(`bundles/${ticket.ticket}`)

    for (const response of [completed, download, last]) await spanOf(response)
    const received = scene.backend.bytes()
    expect(received).toContain(ticket.id)
    for (const part of signingParts(ticket, String(url))) expect(received).not.toContain(part)
  })

  /** Returns everything that would let its reader transfer or complete, plain and as part of another URL. */
  function signingParts(ticket: Ticket, url: string): string[] {
    const { accessKeyId, secretAccessKey } = scene.service.connection
    const signatureOf = (text: string) => new URL(text).searchParams.get('X-Amz-Signature') ?? ''
    const ofUpload =
      ticket.method === 'POST'
        ? [ticket.fields.Policy ?? '', ticket.fields['X-Amz-Signature'] ?? '']
        : [ticket.url, signatureOf(ticket.url)]
    const parts = [...ofUpload, ticket.ticket, url, signatureOf(url)]
    expect(parts.every((part) => part.length >= 64)).toBe(true)
    return [...parts, ...parts.map(encodeURIComponent), secretAccessKey, `Credential=${accessKeyId}`]
  }
})

describe('a variable of OpenTelemetry that has no effect here', () => {
  it('is logged at the start', () => {
    const [line] = scene.service.logs().filter(({ event }) => event === 'config.ignored')
    expect(line).toMatchObject({ level: 'warn', names: ['OTEL_BSP_SCHEDULE_DELAY'] })
  })
})

describe('the service when it is stopped', () => {
  it('sends everything that still waits, including its last line', async () => {
    const response = await call('bundles/absent')
    scene.service.signal('SIGINT')
    expect(await scene.service.process.exited).toBe(0)
    const { spanId } = idsOf(response)
    expect(scene.backend.spans.some((span) => span.spanId === spanId)).toBe(true)
    const printed = scene.service.printed().trimEnd().split('\n')
    expect(scene.backend.logs.map(({ body }) => body)).toEqual(printed)
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ event: 'service.stopped' })
  })
})
