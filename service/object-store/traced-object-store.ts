import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { type ObjectStore, ObjectStoreError } from './object-store.ts'
import { type CallTarget, isOpen, observed, type ReadAnswer, watched } from './observed-object-store.ts'

/**
 * Gives every call to `store` a CLIENT span named `S3 <operation of the S3 API>`, child of the active one.
 * Attributes follow https://opentelemetry.io/docs/specs/semconv/object-stores/s3/; a failure adds `error.type`
 * (the port's error code, otherwise the error's class) and the status ERROR. No URL and no message of a foreign
 * error is recorded, because either may carry a signature.
 *
 * The span of a read lasts until its body has ended, failed or been cancelled. Watching a body means reading it in
 * JavaScript, so a span that is not recorded passes the store's own stream through untouched.
 *
 * Apply it inside `prefixed`, so that `aws.s3.key` is the key in the bucket.
 */
export function traced(store: ObjectStore, tracer: Tracer, bucket: string): ObjectStore {
  async function observe<T>(
    operation: string,
    target: CallTarget,
    call: () => Promise<T>,
    finish: (answer: T, span: Span) => T,
  ): Promise<T> {
    const span = tracer.startSpan(`S3 ${operation}`, { kind: SpanKind.CLIENT })
    if (!span.isRecording()) return call()
    span.setAttributes(attributesOf(operation, bucket, target))
    return context
      .with(trace.setSpan(context.active(), span), async () => call())
      .then(
        (answer) => finish(answer, span),
        (error: unknown) => fail(error, span),
      )
  }

  return observed(store, {
    call: (operation, target, call) => observe(operation, target, call, endNow),
    reading: (operation, target, call) => observe(operation, target, call, untilBodyEnds),
  })
}

function attributesOf(operation: string, bucket: string, { key, partNumber }: CallTarget): Attributes {
  return {
    'rpc.system': 'aws-api',
    'rpc.service': 'S3',
    'rpc.method': operation,
    'aws.s3.bucket': bucket,
    ...(key === undefined ? {} : { 'aws.s3.key': key }),
    ...(partNumber === undefined ? {} : { 'aws.s3.part_number': partNumber }),
  }
}

function endNow<T>(answer: T, span: Span): T {
  span.end()
  return answer
}

function fail(error: unknown, span: Span): never {
  recordFailure(error, span)
  throw error
}

function recordFailure(error: unknown, span: Span): void {
  const type = error instanceof ObjectStoreError ? error.code : error instanceof Error ? error.name : '_OTHER'
  span.setAttribute('error.type', type)
  span.setStatus(
    error instanceof ObjectStoreError
      ? { code: SpanStatusCode.ERROR, message: error.message }
      : { code: SpanStatusCode.ERROR },
  )
  span.end()
}

function untilBodyEnds<T extends ReadAnswer>(answer: T, span: Span): T {
  if (!isOpen(answer)) return endNow(answer, span)
  const onFailure = (error: unknown) => {
    recordFailure(error, span)
    return error
  }
  const end = () => span.end()
  return watched(answer, { onEnd: end, onFailure, onCancel: end })
}
