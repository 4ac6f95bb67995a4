import { describe, expect, it } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { type Action, decide, neededScopes } from '../../../../service/authz/policy.ts'
import {
  isScope,
  type Principal,
  parseScopes,
  type Scope,
  scopes,
} from '../../../../service/authz/principal.ts'

function principal(held: Scope[], tenants = ['acme']): Principal {
  return { subject: 'alice', tenants: new Set(tenants), scopes: new Set(held) }
}

const actions = Object.keys(neededScopes) as Action[]

/** What a principal of acme with these scopes may do there. */
function allowedWith(...held: Scope[]): Action[] {
  return actions.filter((action) => decide(principal(held), { tenant: 'acme', action }).allowed)
}

const reading: Action[] = [
  'document.list',
  'document.read',
  'type.list',
  'name.list',
  'usage.read',
  'version.list',
  'version.read',
  'tag.list',
  'tag.read',
  'download.create',
  'archive.read',
  'archive.create',
]
const writing: Action[] = [
  'document.put',
  'version.have',
  'tag.put',
  'tag.delete',
  'upload.create',
  'upload.complete',
]

describe('decide', () => {
  it('lets documents:read list, read and hand out download URLs, and nothing else', () => {
    expect(allowedWith('documents:read').toSorted()).toEqual(reading.toSorted())
  })

  it('lets documents:write upload, ask what need not be uploaded, and move tags, and nothing else', () => {
    expect(allowedWith('documents:write').toSorted()).toEqual(writing.toSorted())
  })

  it('lets documents:admin delete versions and ask the audit, and nothing else: no scope implies another', () => {
    expect(allowedWith('documents:admin').toSorted()).toEqual(['history.read', 'version.delete'])
  })

  it('adds scopes up, and all of them allow every action', () => {
    expect(allowedWith('documents:read', 'documents:write').toSorted()).toEqual(
      [...reading, ...writing].toSorted(),
    )
    expect(allowedWith(...scopes)).toEqual(actions)
  })

  it('allows nothing without a scope', () => {
    expect(allowedWith()).toEqual([])
  })

  it('names the rule that allowed', () => {
    const decision = decide(principal(['documents:read']), { tenant: 'acme', action: 'version.read' })
    expect(decision).toEqual({ allowed: true, rule: 'scope:documents:read' })
  })

  it('names the scope that is missing in an own tenant', () => {
    expect(decide(principal(['documents:read']), { tenant: 'acme', action: 'document.put' })).toEqual({
      allowed: false,
      reason: 'missing_scope',
      rule: 'scope:documents:write',
      neededScope: 'documents:write',
    })
  })

  it('refuses a foreign tenant whatever the scopes, with one answer for every action', () => {
    const refused = { allowed: false, reason: 'foreign_tenant', rule: 'tenant-in-token' } as const
    const all = principal([...scopes], ['acme', 'globex'])
    const answers = actions.map((action) => decide(all, { tenant: 'initech', action }))
    expect(answers).toEqual(actions.map(() => refused))
    expect(decide(principal([]), { tenant: 'initech', action: 'document.read' })).toEqual(refused)
  })

  it('takes tenants by their whole name', () => {
    const decisionFor = (tenant: string) =>
      decide(principal(['documents:read']), { tenant, action: 'document.read' }).allowed
    expect(decisionFor('acme')).toBeTrue()
    expect(decisionFor('acm')).toBeFalse()
    expect(decisionFor('acme-2')).toBeFalse()
    expect(decisionFor('ACME')).toBeFalse()
    expect(decisionFor('*')).toBeFalse()
    expect(decisionFor('')).toBeFalse()
  })

  it('refuses everyone who has no tenant at all', () => {
    const ofNoTenant = principal([...scopes], [])
    expect(decide(ofNoTenant, { tenant: 'acme', action: 'document.read' })).toMatchObject({
      reason: 'foreign_tenant',
    })
  })

  it('denies an action that is not in the table, whatever the scopes', () => {
    const unlisted = (action: string) =>
      decide(principal([...scopes]), { tenant: 'acme', action: action as Action })
    const refused = { allowed: false, reason: 'missing_scope', rule: 'deny-by-default' } as const
    expect(unlisted('tenant.erase')).toEqual(refused)
    expect(unlisted('toString')).toEqual(refused)
    expect(unlisted('__proto__')).toEqual(refused)
  })
})

describe('parseScopes', () => {
  it('reads a space-separated list and leaves scopes of other services out', () => {
    expect(parseScopes('openid documents:read documents:write')).toEqual(
      new Set<Scope>(['documents:read', 'documents:write']),
    )
    expect(parseScopes('')).toEqual(new Set())
  })

  it('takes scopes by their whole name, between single spaces only', () => {
    expect(parseScopes('documents:*')).toEqual(new Set())
    expect(parseScopes('documents:read,documents:write')).toEqual(new Set())
    expect(parseScopes('Documents:Read')).toEqual(new Set())
    expect(parseScopes('documents:read\tdocuments:write')).toEqual(new Set())
  })
})

describe('isScope', () => {
  it('knows the three scopes', () => {
    expect(isScope('documents:admin')).toBeTrue()
    expect(isScope('documents:owner')).toBeFalse()
  })
})

describe('the README of authz', () => {
  it('has the actions of every scope as the code has them', async () => {
    const document = await readFile(new URL('../../../../service/authz/README.md', import.meta.url), 'utf8')
    const cells = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
    const written = scopes.map((scope) => cells.find((row) => row[1] === `\`${scope}\``)?.[2])
    const meant = scopes.map((scope) =>
      actions
        .filter((action) => neededScopes[action] === scope)
        .map((action) => `\`${action}\``)
        .join(', '),
    )
    expect(written).toEqual(meant)
  })
})
