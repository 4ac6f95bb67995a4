import { type TraceContext, traceContextFrom } from './trace-context.ts'

/** Gives every request its place in a trace, and a span if spans are exported. */
export interface RequestSpans {
  /** Must be called first; the span lasts until its `end`, which must be called once. */
  begin(request: IncomingRequest): RequestSpan
}

export interface IncomingRequest {
  method: string
  /** The header, as it came. */
  traceparent: string | null
  /** A health check: the same every few seconds, and of no interest. */
  untraced: boolean
}

export interface RequestSpan {
  /** The place of the request in its trace: the only source of its ids. */
  trace: TraceContext
  /** Spans that `work` starts become children of this span; its log lines carry the span's ids. */
  run<T>(work: () => Promise<T>): Promise<T>
  end(answered: AnsweredRequest): void
}

/** The outcome of a request. It must not contain a secret, but may quote the caller. */
export interface AnsweredRequest {
  /** Template with `:parameter` segments, if the address is known. */
  route: string | undefined
  status: number
  /** Code of the answered problem. */
  problem: string | undefined
  /** `null` if the address could not be parsed. */
  url: URL | null
  clientAddress: string | undefined
  correlationId: string
  about: RequestSubject
}

/** The document that a request is about, as far as it got. */
export interface RequestSubject {
  tenant?: string | undefined
  type?: string | undefined
  name?: string | undefined
  tag?: string | undefined
  digest?: string | undefined
  /** Version that a moved or removed tag pointed to before. */
  previousDigest?: string | undefined
}

/** Without exports: only the ids, for the answer and the log. */
export const idsAlone: RequestSpans = {
  begin: ({ traceparent }) => ({
    trace: traceContextFrom(traceparent),
    run: (work) => work(),
    end() {},
  }),
}
