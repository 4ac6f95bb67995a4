/**
 * One access decision (ARCHITECTURE.md, "Who may do what"). The logger adds the time. What a request did not get far enough to
 * tell (a subject without a valid token, a digest for a tag) is absent.
 */
export interface AuditEntry {
  decision: 'allowed' | 'denied'
  /** Stable name of the rule that decided, such as `scope:documents:read` or `tenant-in-token`. */
  rule: string
  action: string
  subject?: string | undefined
  /** As asked for: not checked for its form before the decision. */
  tenant?: string | undefined
  type?: string | undefined
  name?: string | undefined
  tag?: string | undefined
  digest?: string | undefined
  clientAddress?: string | undefined
  traceId: string
  correlationId: string
  /** A signed URL that was handed out: its id and expiry (RFC 3339), never the URL. */
  signedUrl?: { id: string; expiresAt: string } | undefined
}
