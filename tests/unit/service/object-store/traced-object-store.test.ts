import { describe, expect, it } from 'bun:test'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { type ObjectStore, ObjectStoreError } from '../../../../service/object-store/object-store.ts'
import { traced } from '../../../../service/object-store/traced-object-store.ts'
import { recordedSpans } from '../../../support/recorded-spans.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const contentType = 'text/plain'
const abc = new TextEncoder().encode('abc')
const three = { size: 3, contentType }

const { exporter, tracer } = recordedSpans()

function spans() {
  return exporter.getFinishedSpans().map(({ name, kind, attributes, status }) => {
    return { name, kind, attributes, status }
  })
}

function names(): string[] {
  return exporter.getFinishedSpans().map(({ name }) => name)
}

describe('traced', () => {
  it('gives a call a span with operation, bucket and key, in the terms of the semantic conventions', async () => {
    const store = traced(createMemoryObjectStore(), tracer, 'cloudlysis-docs')
    await store.put('docs/a', abc, three)
    expect(spans()).toEqual([
      {
        name: 'S3 PutObject',
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'rpc.system': 'aws-api',
          'rpc.service': 'S3',
          'rpc.method': 'PutObject',
          'aws.s3.bucket': 'cloudlysis-docs',
          'aws.s3.key': 'docs/a',
        },
      },
    ])
  })

  it('traces an upload in parts call by call, with the number of the part', async () => {
    const store = traced(createMemoryObjectStore(), tracer, 'bucket')
    const upload = await store.startMultipart('a', { contentType })
    await upload.uploadPart(new Uint8Array(5 * 1024 * 1024))
    await upload.uploadPart(abc)
    await upload.complete()
    await upload.abort()
    expect(names()).toEqual([
      'S3 CreateMultipartUpload',
      'S3 UploadPart',
      'S3 UploadPart',
      'S3 CompleteMultipartUpload',
      'S3 AbortMultipartUpload',
    ])
    expect(spans().map(({ attributes }) => attributes['aws.s3.part_number'])).toEqual([
      undefined,
      1,
      2,
      undefined,
      undefined,
    ])
  })

  it('makes the span a child of the active one, and the active one of the call', async () => {
    const memory = createMemoryObjectStore()
    let seenInside: string | undefined
    const inner: ObjectStore = {
      ...memory,
      head: async () => {
        seenInside = trace.getActiveSpan()?.spanContext().spanId
        return null
      },
    }
    const parent = tracer.startSpan('request')
    const store = traced(inner, tracer, 'bucket')
    await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => store.head('a'))
    const [span] = exporter.getFinishedSpans()
    expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
    expect(seenInside).toBe(span?.spanContext().spanId ?? '')
  })

  it('treats an absent object and an unmet condition as answers, not failures', async () => {
    const store = traced(createMemoryObjectStore(), tracer, 'bucket')
    expect(await store.get('absent')).toBeNull()
    expect(await store.head('absent')).toBeNull()
    expect(await store.put('absent', abc, { ...three, condition: { etag: 'other' } })).toBeNull()
    expect(spans().map(({ status }) => status.code)).toEqual([0, 0, 0])
  })
})

describe('traced when a call fails', () => {
  it('records the code of the port', async () => {
    const store = traced(createMemoryObjectStore(), tracer, 'bucket')
    await store.put('a', abc, three)
    exporter.reset()
    await expect(store.get('a', { ifMatch: 'other' })).rejects.toBeInstanceOf(ObjectStoreError)
    expect(spans()).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': 'precondition_failed' },
      },
    ])
  })

  it('records of any other error only its class', async () => {
    const secret = 'https://store.example/a?X-Amz-Signature=5f7c8ec7'
    const leaky: ObjectStore = {
      ...createMemoryObjectStore(),
      head: () => Promise.reject(new RangeError(secret)),
    }
    await expect(traced(leaky, tracer, 'bucket').head('a')).rejects.toThrow(secret)
    expect(spans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'RangeError' } },
    ])
    expect(Bun.inspect(spans(), { depth: 10 })).not.toContain('X-Amz-Signature')
    expect(exporter.getFinishedSpans()[0]?.events).toEqual([])
  })

  it('ends the span when a store throws instead of rejecting', async () => {
    const rude: ObjectStore = {
      ...createMemoryObjectStore(),
      head: () => {
        throw new RangeError('at once')
      },
    }
    await expect(traced(rude, tracer, 'bucket').head('a')).rejects.toThrow('at once')
    expect(names()).toEqual(['S3 HeadObject'])
  })
})

describe('traced while a body is read', () => {
  async function opened(body?: ReadableStream<Uint8Array>) {
    const memory = createMemoryObjectStore()
    await memory.put('a', abc, three)
    const inner: ObjectStore = {
      ...memory,
      get: async (key, options) => {
        const found = await memory.get(key, options)
        return found && { ...found, body: body ?? found.body }
      },
    }
    const found = await traced(inner, tracer, 'bucket').get('a')
    if (found === null) throw new Error('there is no such object')
    return found
  }

  it('ends the span only when the body has ended', async () => {
    const found = await opened()
    const reader = found.body.getReader()
    await reader.read()
    expect(names()).toEqual([])
    expect((await reader.read()).done).toBe(true)
    expect(names()).toEqual(['S3 GetObject'])
    expect(spans()[0]?.status.code).toBe(SpanStatusCode.UNSET)
  })

  it('ends it when the body is cancelled, and cancels the body of the store', async () => {
    const cancelled = Promise.withResolvers<unknown>()
    const found = await opened(new ReadableStream({ cancel: cancelled.resolve }))
    await found.body.cancel('enough')
    expect(await cancelled.promise).toBe('enough')
    expect(names()).toEqual(['S3 GetObject'])
  })

  it('records a body that fails, and passes the failure on', async () => {
    const lost = new ObjectStoreError('unavailable', 'get', 'ECONNRESET')
    const found = await opened(
      new ReadableStream({
        pull(controller) {
          controller.error(lost)
        },
      }),
    )
    await expect(new Response(found.body).bytes()).rejects.toBe(lost)
    expect(spans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'unavailable' } },
    ])
  })

  it('reads nothing ahead of its reader', async () => {
    let asked = 0
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          asked += 1
          controller.enqueue(abc)
        },
      },
      { highWaterMark: 0 },
    )
    const found = await opened(source)
    await Bun.sleep(0)
    expect(asked).toBe(0)
    await found.body.getReader().read()
    expect(asked).toBe(1)
  })
})

describe('traced without a recorder', () => {
  it('passes the very stream of the store through when there is no tracer provider', async () => {
    expect(await handedThrough(trace.getTracer('unrecorded'))).toBe(true)
  })

  it('passes it through when the sampler drops the span', async () => {
    const unsampled = new TracerProvider({ sampler: new AlwaysOffSampler() })
    expect(await handedThrough(unsampled.getTracer('test'))).toBe(true)
  })

  it('wraps the stream when the span is recorded', async () => {
    expect(await handedThrough(tracer)).toBe(false)
  })

  async function handedThrough(by: typeof tracer): Promise<boolean> {
    const memory = createMemoryObjectStore()
    await memory.put('a', abc, three)
    const found = await memory.get('a')
    const store = traced({ ...memory, get: async () => found }, by, 'bucket')
    return (await store.get('a'))?.body === found?.body
  }
})
