import { afterAll, describe, expect, it } from 'bun:test'
import { deriveKey } from '../../service/derived-key.ts'
import { takeInventories } from '../../service/documents/maintenance/inventory-walk.ts'
import { createTicketSigner } from '../../service/documents/ticket-signer.ts'
import type { OpenApiDocument } from '../../service/http/openapi/types.ts'
import { limits } from '../../service/limits.ts'
import { type ObjectStore, ObjectStoreError } from '../../service/object-store/object-store.ts'
import { nothingKnown } from '../../service/object-store/store-capabilities.ts'
import type { Digest } from '../../service/wire/names.ts'
import { problems } from '../../service/wire/problems.ts'
import { describedAnswers } from '../support/openapi/described-answers.ts'
import { describedStatuses } from '../support/openapi/described-operation.ts'
import {
  bytes,
  document,
  item,
  moveTo,
  prepare,
  type Sample,
  samplesOf,
  ticketFor,
  ticketOf,
  version,
} from '../support/openapi/openapi-samples.ts'
import {
  type Call,
  type Caller,
  callerOf,
  chunked,
  jsonOf,
  put,
  refusalOf,
} from '../support/service/caller.ts'
import { digestOf, reprDigestOf } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { minioCapabilities } from '../support/stores/known-capabilities.ts'
import { until } from '../support/waiting.ts'

/**
 * Statuses that are described and do not occur below, with the reason. Everything else must have occurred, or
 * the document would promise what the service never does.
 */
const notCaused: [statuses: RegExp, reason: string][] = [
  [
    /^(get|head)(Liveness|Readiness|OpenApi|Docs|DocsStyle) 500$/,
    'internal_error: pages call nothing that can fail',
  ],
  [/^(read|head)History 50[02]$/, 'internal_error, store_refused: it asks the audit, and no store'],
  [
    /^(createDownloads|deleteVersions) 50[02]$/,
    'internal_error, store_refused: of one of many, whose problem is in the answer',
  ],
  [/^putDocument 409$/, 'upload_changed: takes a staged document, which is larger than 8 MiB'],
]

/** Codes that are described and do not occur below, with the reason. */
const codesNotCaused: Record<string, string> = {
  version_locked: 'takes a bucket with object lock; tests/integration/retain holds it',
  digest_required: 'takes a store that publishes for minutes; tests/unit/service/documents holds it',
  busy: 'takes 64 MiB of waiting uploads, or a thousand completions; tests/integration holds it',
}

/** More than what is verified in memory, so that the largest documents are streamed. */
const documentBytesMax = limits.wholeReadBytesMax + 100_000

/** What a method of the store does in place of what it should. */
type Fault = (method: string, key: unknown) => (() => Promise<unknown>) | undefined
const noFault: Fault = () => undefined
let fault = noFault

/** Stands for Loki; tests/observability asks the real one. */
let auditStatus = 200
const audit = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () => Response.json({ data: { result: [] } }, { status: auditStatus }),
})

const options = { documentBytesMax, uploadPace: { idleSecondsMax: 1 } }
const service = await serviceInProcess({
  ...options,
  decorate: withFault,
  auditQueryUrl: `http://127.0.0.1:${audit.port}`,
})
const restrained = await serviceInProcess({
  ...options,
  replicaOf: service,
  capabilities: { ...minioCapabilities, ticketMethod: 'none' },
  completionWaitSecondsMax: 0,
})
const ignorant = await serviceInProcess({ ...options, replicaOf: service, capabilities: nothingKnown })
/** One request and one upload may be under way. */
const narrow = await serviceInProcess({
  ...options,
  replicaOf: service,
  requestsMax: 1,
  uploadsBytesMax: limits.uploadBytesMin,
  decorate: withFault,
})
const cutOff = await serviceInProcess(options)
await cutOff.issuer.stop()
const described = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApiDocument
const answers = describedAnswers(described)
const call = answers.checking(await callerOf(service))
await prepare(call)
const samples = await samplesOf(service, call)

afterAll(async () => {
  await Promise.all([restrained.stop(), narrow.stop(), ignorant.stop(), cutOff.stop()])
  await service.stop()
  await audit.stop(true)
})

/** The store, with the fault of the time of the call. */
function withFault(store: ObjectStore): ObjectStore {
  const methods = Object.entries(store).map(([name, method]) => [
    name,
    (...args: unknown[]) => (fault(name, args[0]) ?? method)(...args),
  ])
  return Object.fromEntries(methods)
}

async function during(faulty: Fault, work: () => Promise<void>): Promise<void> {
  fault = faulty
  try {
    await work()
  } finally {
    fault = noFault
  }
}

const failing =
  (error: Error): Fault =>
  () =>
  () =>
    Promise.reject(error)
/** Refuses the writes of all records, as a store does that has no compare-and-set. */
const undecided: Fault = (method, key) =>
  method === 'put' && String(key).includes('/records/') ? async () => null : undefined
/** Lists one version after the other without an end. */
const endless: Fault = (method) => {
  const row = { key: `tenants/acme/documents/${digestOf('A').replace('sha256:', 'definitions/a/')}` }
  const objects = Array(limits.listLimitMax).fill({ ...row, size: 1, etag: 'e', lastModified: new Date() })
  return method === 'list' ? async () => ({ objects, next: 'more' }) : undefined
}
/** What was staged is another object by the time at which it is copied. */
const restaged: Fault = (method) => (method === 'copyAbsent' ? async () => 'changed' : undefined)

/** A caller whose every answer must be as described. */
async function checked(
  caller: { service?: InProcessService; claims?: Record<string, unknown> } = {},
): Promise<Caller> {
  const { service: of = service, claims } = caller
  return answers.checking(await callerOf(of, await of.token(claims)))
}

/** Each status that the samples come to, once. */
async function statusesOf(
  caller: Caller,
  of: readonly Sample[] = samples,
  change: { query?: string; call?: Call } = {},
): Promise<number[]> {
  const statuses = new Set<number>()
  for (const { method, path, query, call } of of) {
    const headers = { ...call.headers, ...change.call?.headers }
    const address = path + (change.query ?? query)
    const response = await caller(address, { method, ...call, ...change.call, headers })
    await response.body?.cancel()
    statuses.add(response.status)
  }
  return [...statuses]
}

/** Works while as many requests and uploads are under way at the narrow service as there may be. */
async function whileNarrow(work: (narrowly: Caller) => Promise<void>): Promise<void> {
  const released = Promise.withResolvers<void>()
  let held = 0
  const holding: Fault = () => async () => {
    held += 1
    await released.promise
    throw new ObjectStoreError('unavailable', 'test', 'Test')
  }
  await during(holding, async () => {
    const narrowly = await checked({ service: narrow })
    const under = [narrowly(version), narrowly(document, { method: 'PUT', body: 'held' })]
    await until(() => held === 2, 'the requests that are held')
    await work(narrowly)
    released.resolve()
    expect((await Promise.all(under)).map(({ status }) => status)).toEqual([503, 503])
  })
}

const ofAudit = samples.filter(({ path }) => path.endsWith('/history'))
/** Their answer names a store that fails, for each of the versions that they are about. */
const ofEach = samples.filter(({ path }) => /\/documents\/(downloads|delete)$/.test(path))
const ofStore = samples.filter((sample) => !ofAudit.includes(sample) && !ofEach.includes(sample))
const withBody = () => samples.filter(({ call: { body } }) => body !== undefined)
const withJson = () => withBody().filter(({ call: { headers } }) => headers !== undefined)

describe('the OpenAPI document of the running service tells', () => {
  it('what is answered before a route is asked', async () => {
    expect(await statusesOf(answers.checking(await callerOf(service, null)))).toEqual([401])
    expect(await statusesOf(answers.checking(await callerOf(service, 'no.such.token')))).toEqual([401])
    expect(await statusesOf(await checked({ claims: { scope: 'other' } }))).toEqual([403])
    expect(await statusesOf(await checked({ claims: { tenants: ['other'] } }))).toEqual([404])
    expect(await statusesOf(await checked({ service: cutOff }))).toEqual([503])
    const host = { headers: { host: 'a,b' } }
    expect(await statusesOf(call, samples, { call: host })).toEqual([400])
    expect(await statusesOf(call, samples, { query: '?unknown=1' })).toEqual([422])
  })

  it('what is answered to methods and addresses that it does not know', async () => {
    expect((await call('', { method: 'PATCH' })).status).toBe(405)
    expect((await call(`${document}/tags/v1`, { method: 'POST' })).status).toBe(405)
    expect((await call('/livez', { method: 'POST' })).status).toBe(405)
    expect((await call(`${document}/unknown`)).status).toBe(404)
    expect((await call('/unknown')).status).toBe(404)
    const anyone = answers.checking(await callerOf(service, null))
    expect((await anyone('', { method: 'PATCH' })).status).toBe(401)
    expect((await anyone(`${document}/unknown`)).status).toBe(401)
  })

  it('what becomes of a store that refuses, does not answer, or breaks us', async () => {
    await during(failing(new ObjectStoreError('rejected', 'test', 'Test')), async () => {
      expect(await statusesOf(call, ofStore)).toEqual([502])
    })
    await during(failing(new ObjectStoreError('unavailable', 'test', 'Test')), async () => {
      expect(await statusesOf(call, ofStore)).toEqual([503])
    })
    await during(failing(new Error('not foreseen')), async () => {
      expect(await statusesOf(call, ofStore)).toEqual([500])
    })
  })

  it('what becomes of an audit that answers, does not answer, or is not there', async () => {
    expect(await statusesOf(call, ofAudit)).toEqual([200])
    auditStatus = 500
    expect(await statusesOf(call, ofAudit)).toEqual([503])
    expect(await statusesOf(await checked({ service: restrained }), ofAudit)).toEqual([501])
  })

  it('what a tenant is answered that has too many requests under way', async () => {
    await whileNarrow(async (narrowly) => {
      const refused = await Promise.all(samples.map((sample) => statusesOf(narrowly, [sample])))
      expect(new Set(refused.flat())).toEqual(new Set([429]))
    })
  })

  it('what becomes of bodies that are too large, or in another form', async () => {
    const large = 'x'.repeat(Math.max(documentBytesMax, limits.haveBodyBytesMax) + 1)
    expect(await statusesOf(call, withBody(), { call: { body: large } })).toEqual([413])
    const gzip = { headers: { 'content-encoding': 'gzip' } }
    expect(await statusesOf(call, withBody(), { call: gzip })).toEqual([415])
    const inChunks = () => chunked(`"${'x'.repeat(limits.haveBodyBytesMax)}"`)
    for (const sample of withJson()) {
      expect(await statusesOf(call, [sample], { call: { body: inChunks() } })).toEqual([413])
    }
    expect(await statusesOf(call, withJson(), { call: { body: '[' } })).toEqual([422])
  })

  it('what uploads come to', async () => {
    const send = (headers: Record<string, string>) => call(document, { method: 'PUT', body: 'B', headers })
    expect((await send({})).status).toBe(201)
    expect((await send({})).status).toBe(200)
    expect(await refusalOf(await send({ 'if-none-match': '*' }))).toBe('412 precondition_failed')
    expect(await refusalOf(await send({ 'repr-digest': 'none' }))).toBe('422 digest_invalid')
    expect(await refusalOf(await send({ 'repr-digest': reprDigestOf('C') }))).toBe('422 digest_mismatch')
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })
    const given = await call(document, { method: 'PUT', body: stalled })
    expect(await refusalOf(given)).toBe('400 body_incomplete')
  })

  it('what reading comes to', async () => {
    for (const path of [document, version]) {
      expect((await call(path)).status).toBe(200)
      expect((await call(path, { method: 'HEAD' })).status).toBe(200)
      const etag = (await call(path)).headers.get('etag') ?? ''
      const held = { headers: { 'if-none-match': etag } }
      expect((await call(path, held)).status).toBe(304)
      expect((await call(path, { ...held, method: 'HEAD' })).status).toBe(304)
      const other = { headers: { 'if-match': '"other"' } }
      expect((await call(path, other)).status).toBe(412)
      expect((await call(path, { ...other, method: 'HEAD' })).status).toBe(412)
      expect((await call(path, { headers: { range: 'bytes=0-0' } })).status).toBe(206)
      expect((await call(path, { headers: { range: 'bytes=9-' } })).status).toBe(416)
    }
    expect((await call('definitions/absent')).status).toBe(404)
  })

  it('what large bytes come with, which may be streamed', async () => {
    const large = 'x'.repeat(documentBytesMax)
    await put(call, 'definitions/large', large)
    const whole = await call('definitions/large')
    expect([null, String(documentBytesMax)]).toContain(whole.headers.get('content-length'))
    expect(whole.headers.get('document-size')).toBe(String(documentBytesMax))
    expect(digestOf(await whole.text())).toBe(digestOf(large))
    const part = await call('definitions/large', { headers: { range: 'bytes=1-90000' } })
    expect((await part.bytes()).byteLength).toBe(90_000)
  })

  it('what listings come to', async () => {
    expect((await call('?limit=1')).status).toBe(200)
    expect((await call(`${document}/versions?limit=1`)).status).toBe(200)
    expect((await call('types')).status).toBe(200)
    expect(await refusalOf(await call('usage'))).toBe('503 usage_unknown')
    await takeInventories(service.store)
    for (const method of ['GET', 'HEAD']) expect((await call('usage', { method })).status).toBe(200)
    for (const include of ['', '&include=latest', '&include=tags'])
      expect((await call(`names?type=definitions${include}`)).status).toBe(200)
    expect((await call(`${document}/tags`)).status).toBe(200)
    expect((await call('?type=definitions&tag=v1')).status).toBe(200)
    expect(await refusalOf(await call('?cursor=forged'))).toBe('422 cursor_invalid')
    expect(await refusalOf(await call('types?cursor=forged'))).toBe('422 cursor_invalid')
    expect(await refusalOf(await call(`${document}/versions?cursor=forged`))).toBe('422 cursor_invalid')
    await during(endless, async () => {
      const path = `${document}/versions`
      expect(await refusalOf(await call(path))).toBe('409 versions_exhausted')
      expect((await call(path, { method: 'HEAD' })).status).toBe(409)
    })
  })

  it('what becomes of tags', async () => {
    const tag = `${document}/tags/new`
    expect((await call(tag, moveTo(bytes))).status).toBe(201)
    expect((await call(tag, moveTo('B'))).status).toBe(200)
    const read = await call(tag)
    expect(read.status).toBe(200)
    for (const method of ['GET', 'HEAD'])
      for (const prefer of ['wait=0', 'wait=1']) {
        const headers = { prefer, 'if-none-match': read.headers.get('etag') ?? '' }
        expect((await call(tag, { method, headers })).status).toBe(304)
      }
    expect(await refusalOf(await call(tag, moveTo('never uploaded')))).toBe('422 version_unknown')
    const stale = { 'if-match': '"stale"' }
    expect(await refusalOf(await call(tag, moveTo('B', stale)))).toBe('412 precondition_failed')
    const remove = { method: 'DELETE', headers: stale }
    expect(await refusalOf(await call(tag, remove))).toBe('412 precondition_failed')
    expect((await call(tag, { method: 'DELETE' })).status).toBe(204)
    const latest = await call(`${document}/tags/latest`, { method: 'DELETE' })
    expect(await refusalOf(latest)).toBe('409 tag_protected')
  })

  it('what deleting a version comes to', async () => {
    await put(call, 'definitions/deleted', 'A')
    await put(call, 'definitions/deleted', 'B')
    await call('definitions/deleted/tags/v1', moveTo('A'))
    const remove = (content: string) =>
      call(`definitions/deleted/versions/${digestOf(content)}`, { method: 'DELETE' })
    expect(await refusalOf(await remove('A'))).toBe('409 version_tagged')
    expect((await remove('B')).status).toBe(204)
  })

  it('what tickets come to', async () => {
    const path = 'definitions/ticket'
    expect(await refusalOf(await call(`${path}/uploads`, ticketFor('T', documentBytesMax + 1)))).toBe(
      '413 document_too_large',
    )
    const { complete, completion, upload } = await ticketOf(call, path, 'T')
    expect(await refusalOf(await call(complete, completion))).toBe('404 upload_not_found')
    await upload()
    await during(restaged, async () => {
      expect(await refusalOf(await call(complete, completion))).toBe('409 upload_changed')
    })
    expect((await call(complete, completion)).status).toBe(201)
    expect((await call(complete, completion)).status).toBe(200)
    expect((await call(`${path}/uploads`, ticketFor('T'))).status).toBe(200)
    await call(`${path}/versions/${digestOf('T')}`, { method: 'DELETE' })
    expect(await refusalOf(await call(complete, completion))).toBe('409 conflict')
  })

  it('what completions with a bad, an old or a slow ticket come to', async () => {
    const path = 'definitions/late'
    const { complete, completion, upload } = await ticketOf(call, path, 'L')
    const forged = { ...completion, body: JSON.stringify({ ticket: 'forged' }) }
    expect(await refusalOf(await call(complete, forged))).toBe('422 ticket_invalid')
    expect(await refusalOf(await call(complete, { ...completion, body: await expiredTicket() }))).toBe(
      '410 upload_expired',
    )
    await upload()
    const hasty = await checked({ service: restrained })
    expect((await hasty(complete, completion)).status).toBe(202)
  })

  it('what signed downloads come to', async () => {
    expect((await call(`${version}/downloads`, { method: 'POST' })).status).toBe(201)
  })

  it('what many versions at once come to', async () => {
    await put(call, 'definitions/many', 'A')
    await call('definitions/many/tags/v1', moveTo('A'))
    await put(call, 'definitions/many', 'B')
    const documents = ['A', 'B', 'C'].map((of) => ({ ...item, name: 'many', digest: digestOf(of) }))
    const many = { method: 'POST', ...jsonBody({ documents }) }
    const archive = await call('archive', {
      method: 'POST',
      ...jsonBody({ documents: documents.slice(0, 2) }),
    })
    expect([archive.status, (await archive.bytes()).byteLength]).toEqual([
      200,
      Number(archive.headers.get('archive-size')),
    ])
    expect(await refusalOf(await call('archive', many))).toBe('404 document_not_found')
    for (const path of ['have', 'downloads', 'delete']) expect((await call(path, many)).status).toBe(200)
    await during(failing(new ObjectStoreError('unavailable', 'test', 'Test')), async () => {
      expect(await statusesOf(call, ofEach)).toEqual([200])
    })
  })

  it('what a link to an archive comes to, for which no token is needed', async () => {
    const { url } = await jsonOf(
      await call('archives', { method: 'POST', ...jsonBody({ documents: [item] }) }),
    )
    const links = ['HEAD', 'GET'].map((method) => ({ method, path: String(url), query: '', call: {} }))
    const anyone = answers.checking(await callerOf(service, null))
    expect(await statusesOf(anyone, links, { call: { headers: { host: 'a,b' } } })).toEqual([400])
    expect(await statusesOf(anyone, links, { query: '?unknown=1' })).toEqual([422])
    const forged = links.map((sample) => ({ ...sample, path: `${sample.path}x` }))
    expect(await statusesOf(anyone, forged)).toEqual([404])
    for (const [error, status] of [
      [new ObjectStoreError('rejected', 'test', 'Test'), 502],
      [new ObjectStoreError('unavailable', 'test', 'Test'), 503],
      [new Error('not foreseen'), 500],
    ] as const)
      await during(failing(error), async () => {
        expect(await statusesOf(anyone, links)).toEqual([status])
      })
    await whileNarrow(async () => {
      const narrowly = answers.checking(await callerOf(narrow, null))
      const refused = await Promise.all(links.map((sample) => statusesOf(narrowly, [sample])))
      expect(refused).toEqual([[429], [429]])
    })
    expect(await statusesOf(anyone, links)).toEqual([200])
    expect(await statusesOf(anyone, links)).toEqual([410])
  })

  it('what a store comes to that can do less, or of which nothing is known yet', async () => {
    const without = await checked({ service: restrained })
    expect(await refusalOf(await without('definitions/x/uploads', ticketFor('T')))).toBe(
      '501 tickets_unavailable',
    )
    const unknowing = await checked({ service: ignorant })
    expect(await refusalOf(await unknowing('definitions/x/uploads', ticketFor('T')))).toBe(
      '503 store_unknown',
    )
  })

  it('what a store comes to that cannot decide between two writers', async () => {
    const path = 'definitions/undecided'
    await put(call, path, 'A')
    await put(call, path, 'B')
    await call(`${path}/tags/v1`, moveTo('A'))
    const { complete, completion, upload } = await ticketOf(call, path, 'U')
    await upload()
    await during(undecided, async () => {
      const changes: [string, Call][] = [
        [path, { method: 'PUT', body: 'C' }],
        [`${path}/uploads`, ticketFor('A')],
        [complete, completion],
        [`${path}/tags/v1`, moveTo('B')],
        [`${path}/tags/v1`, { method: 'DELETE' }],
        [`${path}/versions/${digestOf('B')}`, { method: 'DELETE' }],
      ]
      for (const [address, change] of changes) {
        expect(await refusalOf(await call(address, change))).toBe('501 compare_and_set_unavailable')
      }
    })
  })

  it('what a document comes to that has as many tags as it may have', async () => {
    const path = 'definitions/tagged'
    await put(call, path, 'A')
    const key = `tenants/acme/records/${path}`
    const record = await new Response((await service.store.get(key))?.body).json()
    const { latest } = record.tags
    for (let tag = 0; tag < limits.tagsPerNameMax; tag += 1) record.tags[`v${tag}`] = latest
    await writeText(key, JSON.stringify(record))
    expect(await refusalOf(await call(`${path}/tags/more`, moveTo('A')))).toBe('409 tags_exhausted')
    expect((await call(`${path}/tags/v0`, moveTo('A'))).status).toBe(200)
    expect((await call(path, { method: 'PUT', body: 'B' })).status).toBe(201)
  })

  it('what damaged bytes and a damaged record come to', async () => {
    await put(call, 'definitions/damaged', 'A')
    const path = 'definitions/damaged'
    const stored = `${path}/${digestOf('A').slice('sha256:'.length)}`
    await writeText(`tenants/acme/documents/${stored}`, 'Z')
    expect(await refusalOf(await call(path))).toBe('500 integrity_violated')
    await put(call, path, 'B')
    const { complete, completion, upload } = await ticketOf(call, path, 'C')
    await upload()
    await writeText(`tenants/acme/records/${path}`, '{')
    const withRecord: [string, Call?][] = [
      [path],
      [`${path}/tags/latest`],
      [`${path}/versions`],
      [path, { method: 'PUT', body: 'B' }],
      [`${path}/uploads`, ticketFor('B')],
      [complete, completion],
      [`${path}/tags/latest`, moveTo('B')],
      [`${path}/tags/v1`, { method: 'DELETE' }],
      [`${path}/versions/${digestOf('B')}`, { method: 'DELETE' }],
    ]
    for (const [address, change] of withRecord) {
      expect(await refusalOf(await call(address, change))).toBe('500 integrity_violated')
    }
    // Calls that need no record still work.
    expect(await (await call(`${path}/versions/${digestOf('B')}`)).text()).toBe('B')
  })

  it('what pages come to that anyone may read', async () => {
    const anyone = answers.checking(await callerOf(service, null))
    const pages = Object.keys(described.paths).filter((path) => !path.startsWith('/v1/'))
    const fixed = pages.filter((path) => described.paths[path]?.get?.responses['304'])
    for (const method of ['GET', 'HEAD']) {
      for (const path of pages) {
        expect((await anyone(path, { method })).status).toBe(200)
        expect((await anyone(path, { method, headers: { host: 'a,b' } })).status).toBe(400)
      }
      for (const path of fixed) {
        expect((await anyone(path, { method, headers: { 'if-none-match': '*' } })).status).toBe(304)
        expect((await anyone(path, { method, headers: { 'if-none-match': 'x' } })).status).toBe(422)
      }
    }
    restrained.drain()
    const draining = answers.checking(await callerOf(restrained, null))
    expect((await draining('/readyz')).status).toBe(503)
    expect((await draining('/readyz', { method: 'HEAD' })).status).toBe(503)
  })
})

describe('HEAD of what is JSON', () => {
  it('is described as it is answered', async () => {
    await put(call, 'definitions/headed', 'A')
    const lists = ['?limit=1', '?type=definitions&tag=v1', 'types', 'names?type=definitions']
    for (const path of [
      ...lists,
      ...['versions', 'tags', 'tags/latest'].map((of) => `definitions/headed/${of}`),
    ]) {
      expect((await call(path, { method: 'HEAD' })).status).toBe(200)
    }
  })
})

describe('nothing is promised that never happens:', () => {
  it('every described status has occurred above, except those that are excused', () => {
    const missing = describedStatuses(described).filter((status) => !answers.statuses.has(status))
    const unexcused = missing.filter((status) => !notCaused.some(([statuses]) => statuses.test(status)))
    expect(unexcused).toEqual([])
  })

  it('every code has occurred above, except those that are excused', () => {
    const missing = Object.keys(problems).filter((code) => !answers.codes.has(code))
    expect(missing).toEqual(Object.keys(codesNotCaused))
  })

  it('what is excused has not occurred', () => {
    const occurred = [...answers.statuses].filter((status) =>
      notCaused.some(([statuses]) => statuses.test(status)),
    )
    expect(occurred).toEqual([])
    expect(Object.keys(codesNotCaused).filter((code) => answers.codes.has(code))).toEqual([])
  })
})

/** Stores a text behind the service's back. */
async function writeText(key: string, text: string): Promise<void> {
  const content = new TextEncoder().encode(text)
  await service.store.put(key, content, { size: content.byteLength, contentType: 'application/json' })
}

/** The body of a completion with a ticket that was good until a minute ago. */
async function expiredTicket(): Promise<string> {
  const key = deriveKey(service.connection.secretAccessKey, 'documents/ticket/v1')
  const id = '0'.repeat(32)
  const claims = {
    ...{ id, tenant: 'acme', type: 'definitions', name: 'late', digest: digestOf('L') as Digest, size: 1 },
    ...{ contentType: 'text/plain', stagingKey: `staging/acme/${id}`, subject: 'alice', admittedAtMs: 0 },
  }
  const ticket = await createTicketSigner([key]).seal(claims, new Date(Date.now() - 60_000))
  return JSON.stringify({ ticket })
}
