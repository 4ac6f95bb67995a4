import type { Authenticator } from '../authn/authenticator.ts'
import { type Action, decide } from '../authz/policy.ts'
import type { Principal, Scope } from '../authz/principal.ts'
import type { ArchiveLinks } from '../documents/archives/archive-links.ts'
import { versionNotFound } from '../documents/document-error.ts'
import type { AuditEntry, Logger } from '../telemetry/logger.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'
import type { ProblemCode } from '../wire/problems.ts'
import type { Call, Decision } from './call.ts'
import { bearerChallenge, type Refusal } from './headers/bearer-challenge.ts'
import { ProblemError } from './problem.ts'
import { createRefusals } from './refusals.ts'
import type { ItemAnswer, RequestContext } from './route.ts'

/** A request, and the document that it is about as its path says; unchecked. */
export type Asked = RequestContext & { about: RequestSubject }

/**
 * Who may do what, in terms of HTTP: asks `authn` and `authz`, turns their refusals into problems with a challenge
 * (RFC 6750 section 3), and writes the audit line of each decision before anything is answered and before any call
 * to the store.
 *
 * Decision: the line of a request that is allowed is written when it begins, or when it is answered without having begun.
 * Those that are refused because too many are under way are counted by the second instead: their lines took half of the
 * time that a refusal costs, and would let a client fill the audit.
 */
export interface Access {
  /** @throws {ProblemError} `credentials_missing`, `credentials_invalid`, `issuer_unavailable` */
  authenticate(request: Request, asked: Asked): Promise<Principal>
  /**
   * Decides about a request whose address holds a link to an archive: it may do what the action of its address is, for the
   * one who asked for the link.
   *
   * @throws {ProblemError} `document_not_found` for a link that was not made here, or is not for this tenant; `link_expired`
   */
  admitLink(link: string, action: Action, call: Call): Promise<{ principal: Principal; decision: Decision }>
  /** @throws {ProblemError} `document_not_found` for a tenant that is not in the token, whatever is asked of it. */
  requireTenant(principal: Principal, tenant: string | undefined, asked: Asked): void
  /** Returns the decision that allows it, and notes it in `call.unrecorded`. @throws {ProblemError} `scope_missing` */
  requireScope(principal: Principal, action: Action, call: Call): Decision
  /**
   * For a request that asks for none of the `actions` of its address, so that nothing is allowed by this.
   *
   * @throws {ProblemError} `scope_missing` if the token is good for none of them.
   */
  requireAnyScope(principal: Principal, actions: readonly Action[], call: Call): void
  /** Records the decision that allows the call, unless that was done before. */
  record(call: Call): void
  /** Records that the call was refused although it is allowed: with a line of its own, or counted with others. */
  refused(call: Call, rule: ProblemCode): void
  /**
   * Records that the decision about a call holds for one of the things that its body names.
   *
   * @returns what records how that one ended.
   */
  item(decision: Decision, asked: Asked): (answer: ItemAnswer) => void
  /** Records a signed URL that an allowed action is about to give out. */
  signedUrl(
    principal: Principal,
    action: Action,
    asked: Asked,
    signedUrl: { id: string; expiresAt: string },
  ): void
  /** Writes the audit lines of what was counted, after the last answer. */
  close(): void
}

/** Returns the access control of the API; `logger` gets the audit lines. */
export function createAccess(
  authenticator: Authenticator,
  archiveLinks: Pick<ArchiveLinks, 'open'>,
  logger: Logger,
): Access {
  const withoutToken = createRefusals(logger)
  const tooMany = createRefusals(logger)

  function audit(
    { about, clientAddress, correlationId, trace }: Asked,
    entry: Pick<AuditEntry, 'decision' | 'rule' | 'action' | 'subject' | 'signedUrl'>,
  ): void {
    logger.audit({ ...entry, ...bounded(about), clientAddress, correlationId, traceId: trace.traceId })
  }

  return {
    async authenticate(request, asked) {
      const result = await authenticator.authenticate(request.headers.get('authorization'))
      if (result.ok) return result.principal
      const { error, description } = result
      const rule = `token-${error}`
      const { clientAddress } = asked
      if (withoutToken.isFirst(rule, clientAddress === undefined ? undefined : { clientAddress }))
        audit(asked, { decision: 'denied', rule, action: 'authenticate' })
      if (error === 'unavailable') {
        logger.error('issuer.unavailable', { traceId: asked.trace.traceId, cause: result.cause })
        throw new ProblemError('issuer_unavailable', description)
      }
      if (error === 'missing') throw new ProblemError('credentials_missing', description, challenge())
      throw new ProblemError(
        'credentials_invalid',
        description,
        challenge({ error: 'invalid_token', description }),
      )
    },

    async admitLink(link, action, call) {
      try {
        const { tenant, subject } = await archiveLinks.open(link)
        if (tenant !== call.about.tenant) throw versionNotFound()
        const principal = { subject, tenants: new Set([tenant]), scopes: new Set<Scope>() }
        call.unrecorded = { rule: 'archive-link', action, subject }
        return { principal, decision: call.unrecorded }
      } catch (error) {
        const { clientAddress } = call
        const rule = 'archive-link'
        if (withoutToken.isFirst(rule, clientAddress === undefined ? undefined : { clientAddress }))
          audit(call, { decision: 'denied', rule, action: 'authenticate' })
        throw error
      }
    },

    requireTenant(principal, tenant, asked) {
      if (tenant !== undefined && principal.tenants.has(tenant)) return
      const { subject } = principal
      audit(asked, { decision: 'denied', rule: 'tenant-in-token', action: 'tenant.enter', subject })
      throw new ProblemError('document_not_found', 'There is no such document.')
    },

    requireScope(principal, action, call) {
      const decision = decide(principal, { tenant: call.about.tenant ?? '', action })
      const { subject } = principal
      const { allowed, rule } = decision
      if (allowed) {
        call.unrecorded = { rule, action, subject }
        return call.unrecorded
      }
      audit(call, { decision: 'denied', rule, action, subject })
      const scope = decision.reason === 'missing_scope' ? decision.neededScope : undefined
      const detail = scope ? `This needs a token with the scope ${scope}.` : 'No scope allows this.'
      const how = challenge({ error: 'insufficient_scope', scope })
      throw new ProblemError('scope_missing', detail, { ...how, members: scope ? { scope } : {} })
    },

    requireAnyScope(principal, actions, call) {
      const tenant = call.about.tenant ?? ''
      const [first] = actions
      const allowed = actions.some((action) => decide(principal, { tenant, action }).allowed)
      if (first && !allowed) this.requireScope(principal, first, call)
    },

    record(call) {
      const decision = call.unrecorded
      if (!decision) return
      call.unrecorded = undefined
      audit(call, { decision: 'allowed', ...decision })
    },

    refused(call, rule) {
      const decision = call.unrecorded
      if (!decision) return
      call.unrecorded = undefined
      call.admitted = undefined
      const { subject, action } = decision
      call.isCounted = !tooMany.isFirst(rule, { tenant: call.about.tenant ?? '', subject })
      if (!call.isCounted) audit(call, { decision: 'denied', rule, action, subject })
    },

    item(decision, asked) {
      audit(asked, { decision: 'allowed', ...decision })
      return (answer) => writeOutcome(logger, decision, asked, answer)
    },

    signedUrl({ subject }, action, asked, signedUrl) {
      audit(asked, { decision: 'allowed', rule: 'url-minted', action, subject, signedUrl })
    },

    close() {
      withoutToken.flush()
      tooMany.flush()
    },
  }
}

/** All but those that only read: what they did can be seen afterwards by nothing but the audit. */
const changing: ReadonlySet<Action> = new Set([
  'document.put',
  'version.delete',
  'tag.put',
  'tag.delete',
  'upload.create',
  'upload.complete',
  'download.create',
  'archive.create',
])

/**
 * Writes the audit line of how a call has ended, if it was allowed and changes something or gives access away. Where each
 * thing that it names has such a line, one for all of them would only seem to be another change.
 */
export function auditOutcome(logger: Logger, call: Call, status: number): void {
  const { admitted, problem, hasItemLines } = call
  if (!admitted || hasItemLines || !changing.has(admitted.route.action)) return
  const { subject } = admitted.context.principal
  writeOutcome(logger, { action: admitted.route.action, subject }, call, { status, code: problem })
}

function writeOutcome(
  logger: Logger,
  { action, subject }: Pick<Decision, 'action' | 'subject'>,
  { about, clientAddress, correlationId, trace }: Asked,
  { status, code }: ItemAnswer,
): void {
  const ids = { clientAddress, correlationId, traceId: trace.traceId }
  logger.auditOutcome({ action, subject, ...bounded(about), status, code, ...ids })
}

function challenge(refusal?: Refusal): { headers: Record<string, string> } {
  return { headers: { 'www-authenticate': bearerChallenge(refusal) } }
}

/** Path segments are the caller's own words, which must not make a line of the log as long as they like. */
function bounded(about: RequestSubject): RequestSubject {
  const cut = Object.entries(about).map(([name, value]) => [name, value?.slice(0, segmentCharsMax)])
  return Object.fromEntries(cut) as RequestSubject
}

const segmentCharsMax = 160
