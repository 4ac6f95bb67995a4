import { type TraceContext, traceContextFrom } from './trace-context.ts'

/** Gives every request its place in a trace, and a span where somebody collects them. */
export interface RequestSpans {
  /** To be called first; the span lasts until its `end`, which must be called once. */
  begin(request: IncomingRequest): RequestSpan
}

export interface IncomingRequest {
  method: string
  /** The header, as it came. */
  traceparent: string | null
  /** A health check: the same every few seconds, and nobody looks for one. */
  untraced: boolean
}

export interface RequestSpan {
  /** Where the request stands in its trace: the only source of its ids. */
  trace: TraceContext
  /** Whatever `work` starts becomes a child of the span; what it logs carries the span's ids. */
  run<T>(work: () => Promise<T>): Promise<T>
  end(answered: AnsweredRequest): void
}

/** What a request turned out to be. Nothing in it may be a secret, but it may quote the caller. */
export interface AnsweredRequest {
  /** Template with `:parameter` segments, where the address is one that we know. */
  route: string | undefined
  status: number
  /** Code of the problem that the answer was. */
  problem: string | undefined
  /** `null` for a request whose address was not understood. */
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
}

/** Where nothing is exported: the ids alone, for the answer and the log. */
export const idsAlone: RequestSpans = {
  begin: ({ traceparent }) => ({
    trace: traceContextFrom(traceparent),
    run: (work) => work(),
    end() {},
  }),
}
