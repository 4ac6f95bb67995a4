import { describe, expect, it } from 'bun:test'
import { builtIn, expand } from '../../../../support/observability/grafana-variables.ts'

describe('a query with variables', () => {
  it('takes them with and without braces', () => {
    expect(
      expand(`rate(x{a="$a", b="\${b}"}[$__rate_interval])`, { a: '1', b: '2', __rate_interval: '1m' }),
    ).toBe('rate(x{a="1", b="2"}[1m])')
  })

  it('takes several values at once as an alternative, to the letter', () => {
    expect(expand('route=~"$route"', { route: ['/a', '/b.c'] })).toBe('route=~"(/a|/b\\\\.c)"')
  })

  it('goes into an address percent-encoded', () => {
    expect(
      expand(`/explore?q=\${__field.labels.route:percentencode}`, { '__field.labels.route': '/a b' }),
    ).toBe('/explore?q=%2Fa%20b')
  })

  it('leaves what only looks like one', () => {
    expect(expand('label=~"a$"', {})).toBe('label=~"a$"')
  })

  it('is refused if the variable or the format is unknown', () => {
    expect(() => expand('$unknown', {})).toThrow('nothing is known as $unknown')
    expect(() => expand(`\${a:csv}`, { a: '1' })).toThrow('the format csv is not used here')
  })
})

describe('the time that a dashboard shows', () => {
  it('is long enough for a rate of four scrapes, and follows the width of a graph', () => {
    expect(builtIn({ from: 0, to: 3600 }, 15)).toMatchObject({
      __interval: '15s',
      __rate_interval: '60s',
      __range: '3600s',
      __from: '0',
      __to: '3600000',
    })
    expect(builtIn({ from: 0, to: 7 * 86_400 }, 15)).toMatchObject({
      __interval: '756s',
      __rate_interval: '771s',
    })
  })
})
