/** What the service counts. Labels come from small, fixed sets: never a tenant, a name or an address. */
export interface ServiceMetrics {
  /** A request came in; `requestAnswered` follows once. */
  requestBegan(): void
  requestAnswered(request: MeasuredRequest): void
  /** A body failed after its answer had begun, too late for a status. */
  responseBrokenOff(): void
  /**
   * @param operation of the S3 API, such as `GetObject`.
   * @param outcome `ok`, the port's error code, or `aborted` where the caller gave up or its body failed.
   */
  storeCalled(operation: string, outcome: string, seconds: number): void
  /** Stored bytes did not hash to their digest. */
  integrityMismatched(): void
  /** An upload has replaced damaged bytes by the right ones. */
  integrityRepaired(): void
  /** A listing has left out objects whose keys are not those of versions. */
  foreignObjectsSkipped(objects: number): void
  /** What all tenants together have stored, as it was counted last. @param at when that was, in milliseconds since 1970 */
  inventoryKnown(stored: { documents: number; versions: number; bytes: number; at: number }): void
  /** An upload ticket was issued; `none`: it was refused, since no method is safe on this store. */
  uploadTicket(method: 'post' | 'put' | 'none'): void
  /** A token was verified by keys of the issuer that could not be read again in time. */
  staleKeyUsed(): void
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

/** `queue_full`: too many items were waiting. `export_failed`: given up. `rejected`: the backend took only a part. */
export type DropReason = 'queue_full' | 'export_failed' | 'rejected'

/** Metrics that are not counted. */
export const noMetrics: ServiceMetrics = {
  requestBegan() {},
  requestAnswered() {},
  responseBrokenOff() {},
  storeCalled() {},
  integrityMismatched() {},
  integrityRepaired() {},
  foreignObjectsSkipped() {},
  inventoryKnown() {},
  uploadTicket() {},
  staleKeyUsed() {},
  telemetryExported() {},
  telemetryDropped() {},
}
