/** What is counted of the service. Labels are of small, fixed sets: no tenant, no name, no address is ever one. */
export interface ServiceMetrics {
  /** A request came in; `requestAnswered` follows once. */
  requestBegan(): void
  requestAnswered(request: MeasuredRequest): void
  /** A body broke off after its answer had begun: too late for a status. */
  responseBrokenOff(): void
  /**
   * @param operation of the S3 API, such as `GetObject`.
   * @param outcome `ok`, the port's error code, or `aborted` where the caller gave up or its body failed.
   */
  storeCalled(operation: string, outcome: string, seconds: number): void
  /** Stored bytes did not hash to their digest. */
  integrityMismatched(): void
  /** An upload ticket was given out; `none`: it could not be, since no method is safe on this store. */
  uploadTicket(method: 'post' | 'put' | 'none'): void
  telemetryExported(signal: Signal, items: number): void
  telemetryDropped(signal: Signal, reason: DropReason, items: number): void
}

export interface MeasuredRequest {
  method: string
  route: string | undefined
  status: number
  /** Until its answer began. */
  seconds: number
}

export type Signal = 'traces' | 'logs'

/** `queue_full`: more than fits was waiting. `export_failed`: given up. `rejected`: the backend took only a part. */
export type DropReason = 'queue_full' | 'export_failed' | 'rejected'

/** Where nobody asks. */
export const noMetrics: ServiceMetrics = {
  requestBegan() {},
  requestAnswered() {},
  responseBrokenOff() {},
  storeCalled() {},
  integrityMismatched() {},
  uploadTicket() {},
  telemetryExported() {},
  telemetryDropped() {},
}
