import type { Authenticator } from '../authn/authenticator.ts'
import { type Action, decide } from '../authz/policy.ts'
import type { Principal } from '../authz/principal.ts'
import type { AuditEntry, Logger } from '../telemetry/logger.ts'
import { ProblemError } from './problem.ts'
import type { RequestContext } from './request-context.ts'

/** What a request is about, as its path says; unchecked. */
export interface AccessTarget {
  tenant?: string | undefined
  type?: string | undefined
  name?: string | undefined
  tag?: string | undefined
  digest?: string | undefined
}

/**
 * Who may go on. Each decision writes its audit line before anything is answered, and is made before any call
 * to the store.
 */
export interface Access {
  /** @throws {ProblemError} `credentials_missing`, `credentials_invalid`, `issuer_unavailable` */
  authenticate(request: Request, context: RequestContext, target: AccessTarget): Promise<Principal>
  /** @throws {ProblemError} `document_not_found` for a tenant that is not in the token, whatever is asked of it. */
  requireTenant(principal: Principal, tenant: string, context: RequestContext, target: AccessTarget): void
  /** @throws {ProblemError} `scope_missing` */
  requireScope(principal: Principal, action: Action, context: RequestContext, target: AccessTarget): void
  /**
   * For a request that asks for none of the `actions` of its address, so that nothing is allowed by this.
   *
   * @throws {ProblemError} `scope_missing` if the token is good for none of them.
   */
  requireAnyScope(
    principal: Principal,
    actions: readonly Action[],
    context: RequestContext,
    target: AccessTarget,
  ): void
  /** Records a signed URL that an allowed action is about to give out. */
  signedUrl(
    principal: Principal,
    action: Action,
    context: RequestContext,
    target: AccessTarget,
    signedUrl: { id: string; expiresAt: string },
  ): void
}

const realm = 'Bearer realm="documents"'

export function createAccess(authenticator: Authenticator, logger: Logger): Access {
  function audit(
    context: RequestContext,
    target: AccessTarget,
    entry: Pick<AuditEntry, 'decision' | 'rule' | 'action' | 'subject' | 'signedUrl'>,
  ): void {
    const { clientAddress, correlationId, trace } = context
    logger.audit({ ...entry, ...bounded(target), clientAddress, correlationId, traceId: trace.traceId })
  }

  return {
    async authenticate(request, context, target) {
      const result = await authenticator.authenticate(request.headers.get('authorization'))
      if (result.ok) return result.principal
      audit(context, target, { decision: 'denied', rule: `token-${result.error}`, action: 'authenticate' })
      if (result.error === 'unavailable') {
        logger.error('issuer.unavailable', { traceId: context.trace.traceId, cause: result.cause })
        throw new ProblemError('issuer_unavailable', result.description)
      }
      if (result.error === 'missing') {
        throw new ProblemError('credentials_missing', result.description, {}, { 'www-authenticate': realm })
      }
      // RFC 6750 section 3.1; the description is ours and holds no quotes.
      const challenge = `${realm}, error="invalid_token", error_description="${result.description}"`
      throw new ProblemError('credentials_invalid', result.description, {}, { 'www-authenticate': challenge })
    },

    requireTenant(principal, tenant, context, target) {
      if (principal.tenants.has(tenant)) return
      const { subject } = principal
      audit(context, target, { decision: 'denied', rule: 'tenant-in-token', action: 'tenant.enter', subject })
      throw new ProblemError('document_not_found', 'There is no such document.')
    },

    requireScope(principal, action, context, target) {
      const decision = decide(principal, { tenant: target.tenant ?? '', action })
      const { subject } = principal
      const { rule } = decision
      audit(context, target, { decision: decision.allowed ? 'allowed' : 'denied', rule, action, subject })
      if (decision.allowed) return
      const needed = decision.reason === 'missing_scope' ? decision.neededScope : undefined
      const challenge = `${realm}, error="insufficient_scope"${needed ? `, scope="${needed}"` : ''}`
      const detail = needed ? `This needs a token with the scope ${needed}.` : 'No scope allows this.'
      throw new ProblemError('scope_missing', detail, needed ? { scope: needed } : {}, {
        'www-authenticate': challenge,
      })
    },

    requireAnyScope(principal, actions, context, target) {
      const tenant = target.tenant ?? ''
      const [first] = actions
      const allowed = actions.some((action) => decide(principal, { tenant, action }).allowed)
      if (first && !allowed) this.requireScope(principal, first, context, target)
    },

    signedUrl(principal, action, context, target, signedUrl) {
      const { subject } = principal
      audit(context, target, { decision: 'allowed', rule: 'url-minted', action, subject, signedUrl })
    },
  }
}

/** Path segments are the caller's own words: a line of the log must not become as long as they like. */
function bounded(target: AccessTarget): AccessTarget {
  const cut = Object.entries(target).map(([name, value]) => [name, value?.slice(0, segmentCharsMax)])
  return Object.fromEntries(cut) as AccessTarget
}

const segmentCharsMax = 160
