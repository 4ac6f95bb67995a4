/** What the service tells the Control UI about its deployment in `/ui-settings.json`. It is public: nothing in it may be secret. */
export interface UiSettings {
  /**
   * The issuer whose tokens the service takes; its discovery document names the endpoints. One without
   * `authorization_endpoint` signs people in by the links that it gives out.
   */
  issuer: string
  clientId: string
  /** Of access tokens. */
  audience: string
  /** Space-separated, as it goes into an authorisation request. */
  scope: string
  /** URL of a trace in the trace viewer, with `{traceId}` in it; `null` without one. */
  traceUrlTemplate: string | null
  /** Larger files are refused; older services do not state it. */
  documentBytesMax?: number
  /** Whether the service can be asked who moved tags; older services do not state it. */
  hasHistory?: boolean
  /** Files from this size on go straight to the store; default: that of the client. */
  ticketBytesMin?: number
}
