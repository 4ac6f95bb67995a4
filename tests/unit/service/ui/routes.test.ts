import { describe, expect, it } from 'bun:test'
import { startAction, traceUrl } from '../../../../service/ui/calls/traces.ts'
import { listQueryOf, listSearch } from '../../../../service/ui/listing/list-query.ts'
import { compareTags } from '../../../../service/ui/parts/tag-order.ts'
import { comparisonOf, isDiffering } from '../../../../service/ui/rollout/comparison.ts'
import { rolloutQueryOf, rolloutSearch } from '../../../../service/ui/rollout/rollout-query.ts'
import {
  documentPath,
  hasForm,
  listPath,
  rolloutPath,
  safeReturnPath,
  tenantPath,
} from '../../../../service/ui/routes.ts'
import { signInCodeOf } from '../../../../service/ui/session/sign-in-link.ts'
import { settingsFrom } from '../../../../service/ui/settings.ts'
import type { Tag } from '../../../../service/wire/answers.ts'

describe('addresses of the UI', () => {
  it('lead to a tenant, a type, a document and a version', () => {
    expect(tenantPath('acme')).toBe('/tenants/acme')
    expect(listPath('acme', 'definitions')).toBe('/tenants/acme/definitions')
    expect(rolloutPath('acme', 'definitions')).toBe('/tenants/acme/definitions/_rollout')
    expect(hasForm('name', '_rollout')).toBe(false)
    expect(documentPath('acme', 'definitions', 'a.json')).toBe('/tenants/acme/definitions/a.json')
    expect(documentPath('acme', 'definitions', 'a.json', 'sha256:0f')).toBe(
      '/tenants/acme/definitions/a.json?version=sha256%3A0f',
    )
  })

  it('are taken only where every part has its form', () => {
    expect(hasForm('tenant', 'acme')).toBe(true)
    expect(hasForm('tenant', 'Acme')).toBe(false)
    expect(hasForm('type', 'audit-exports')).toBe(true)
    expect(hasForm('type', '../x')).toBe(false)
    expect(hasForm('name', 'orders-api.tgz')).toBe(true)
    expect(hasForm('name', '..')).toBe(false)
    expect(hasForm('name', 'a%2Fb')).toBe(false)
  })
})

describe('safeReturnPath', () => {
  it('is an address of ours', () => {
    expect(safeReturnPath('/tenants/acme?x=1')).toBe('/tenants/acme?x=1')
  })

  it('is the beginning for another origin, for nonsense, and for the sign-in page itself', () => {
    expect(safeReturnPath('//evil.example')).toBe('/')
    expect(safeReturnPath('/\\evil.example')).toBe('/')
    expect(safeReturnPath('https://evil.example')).toBe('/')
    expect(safeReturnPath('javascript:alert(1)')).toBe('/')
    expect(safeReturnPath(undefined)).toBe('/')
    expect(safeReturnPath('/sign-in/callback?code=x')).toBe('/')
  })
})

describe('the query of a list', () => {
  it('is read from an address and written to it', () => {
    const query = listQueryOf('?prefix=alpha&contains=a+b&sort=-uploaded')
    expect(query).toEqual({
      ...{ prefix: 'alpha', contains: 'a b' },
      sort: { column: 'uploaded', descending: true },
    })
    expect(listSearch(query)).toBe('?prefix=alpha&contains=a+b&sort=-uploaded')
  })

  it('is empty for the list as it is by itself', () => {
    expect(listSearch(listQueryOf(''))).toBe('')
    expect(listSearch(listQueryOf('?sort=name'))).toBe('')
  })

  it('falls back to the order of the store for a column that does not exist', () => {
    expect(listQueryOf('?sort=-nonsense').sort).toEqual({ column: 'name', descending: false })
  })
})

describe('the query of a rollout', () => {
  it('compares production with staging by itself, next to the latest', () => {
    expect(rolloutQueryOf('')).toEqual({
      ...{ prefix: '', tags: ['production', 'staging', 'latest'] },
      ...{ from: 'staging', to: 'production', differing: false },
    })
    expect(rolloutSearch(rolloutQueryOf(''))).toBe('')
  })

  it('is read from an address and written to it', () => {
    const search = '?prefix=o&tags=v1.4,latest,canary&from=canary&to=latest&differing=1'
    expect(rolloutQueryOf(search)).toEqual({
      ...{ prefix: 'o', tags: ['v1.4', 'latest', 'canary'] },
      ...{ from: 'canary', to: 'latest', differing: true },
    })
    expect(rolloutSearch(rolloutQueryOf(search))).toBe(search)
  })

  it('always has two different tags to compare', () => {
    const pair = (search: string) => [rolloutQueryOf(search).from, rolloutQueryOf(search).to]
    expect(pair('?from=production&to=production')).toEqual(['staging', 'production'])
    expect(pair('?from=nowhere&to=staging')).toEqual(['production', 'staging'])
    expect(pair('?from=production')).toEqual(['production', 'staging'])
  })

  it('leaves out what is no tag, what is there twice, and more columns than fit', () => {
    expect(rolloutQueryOf('?tags=a,a,b,no%20tag').tags).toEqual(['a', 'b'])
    expect(rolloutQueryOf('?tags=a').tags).toEqual(['production', 'staging', 'latest'])
    expect(rolloutQueryOf('?tags=a,b,c,d,e,f,g').tags).toHaveLength(6)
  })

  it('compares what is left when a compared tag is no column any more', () => {
    const query = { ...rolloutQueryOf(''), tags: ['staging', 'latest'] }
    expect(rolloutQueryOf(rolloutSearch(query))).toMatchObject({ from: 'staging', to: 'latest' })
  })
})

describe('compareTags', () => {
  it('puts the latest first, and counts as people do', () => {
    const tags = ['v10', 'production', 'v9', 'latest', 'V9']
    expect(tags.toSorted(compareTags)).toEqual(['latest', 'production', 'v9', 'V9', 'v10'])
  })
})

describe('comparisonOf', () => {
  const at = (digit: string) => ({ digest: `sha256:${digit}` }) as unknown as Tag
  const row = (tags: Record<string, Tag>) => ({ name: 'a', tags: new Map(Object.entries(tags)) })

  it('says how two tags of a document relate', () => {
    const compare = (tags: Record<string, Tag>) => comparisonOf(row(tags), 'staging', 'production')
    expect(compare({ staging: at('1'), production: at('1') })).toBe('same')
    expect(compare({ staging: at('1'), production: at('2') })).toBe('differs')
    expect(compare({ staging: at('1') })).toBe('to-absent')
    expect(compare({ production: at('1') })).toBe('from-absent')
    expect(compare({})).toBe('both-absent')
    expect(isDiffering('to-absent')).toBe(true)
    expect(isDiffering('both-absent')).toBe(false)
  })
})

describe('signInCodeOf', () => {
  it('finds the code in a link, and in a fragment alone', () => {
    expect(signInCodeOf('http://127.0.0.1:8080/#sign-in=aB.c-_~1')).toBe('aB.c-_~1')
    expect(signInCodeOf('  #sign-in=aB\n')).toBe('aB')
  })

  it('finds none in what is no such link', () => {
    expect(signInCodeOf('http://127.0.0.1:8080/')).toBeNull()
    expect(signInCodeOf('http://127.0.0.1:8080/?sign-in=aB')).toBeNull()
    expect(signInCodeOf('#sign-in=')).toBeNull()
    expect(signInCodeOf('#sign-in=a b')).toBeNull()
    expect(signInCodeOf('aB')).toBeNull()
  })
})

describe('startAction', () => {
  it('gives all calls of an action the same trace, and each a span of its own', () => {
    const { traceId, traceparent } = startAction()
    const [first, second] = [traceparent(), traceparent()]
    expect(first).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(second).toStartWith(`00-${traceId}-`)
    expect(first).not.toBe(second)
    expect(startAction().traceId).not.toBe(traceId)
  })
})

describe('traceUrl', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'

  it('leads to the trace', () => {
    expect(traceUrl('https://grafana.example.com/t/{traceId}', traceId)).toBe(
      `https://grafana.example.com/t/${traceId}`,
    )
    expect(traceUrl('http://localhost:3200/api/traces/{traceId}', traceId)).toBe(
      `http://localhost:3200/api/traces/${traceId}`,
    )
  })

  it('is nothing without a template, for what is no trace id, and for what must not become a link', () => {
    expect(traceUrl(null, traceId)).toBeNull()
    expect(traceUrl('https://grafana.example.com/{traceId}', '"><script>')).toBeNull()
    expect(traceUrl('javascript:alert("{traceId}")', traceId)).toBeNull()
    expect(traceUrl('http://grafana.example.com/{traceId}', traceId)).toBeNull()
  })
})

describe('settingsFrom', () => {
  const given = { issuer: 'https://i', clientId: 'ui', audience: 'a', scope: 's' }

  it('takes what the service tells', () => {
    expect(settingsFrom({ ...given, traceUrlTemplate: null })).toEqual({ ...given, traceUrlTemplate: null })
    expect(settingsFrom({ ...given, ticketBytesMin: 5 }).ticketBytesMin).toBe(5)
  })

  it('refuses what has no issuer', () => {
    expect(() => settingsFrom({ ...given, issuer: '' })).toThrow('no issuer')
    expect(() => settingsFrom(null)).toThrow('no issuer')
  })
})
