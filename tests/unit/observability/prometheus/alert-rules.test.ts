import { describe, expect, it } from 'bun:test'
import { readFileSync } from 'node:fs'
import { alertRules, type RuleTestFile, yamlFiles } from '../../../support/observability/alert-rules.ts'

const alerts = alertRules()
const names = alerts.map(({ alert }) => alert)
const unitTests = yamlFiles<RuleTestFile>('tests').flatMap(({ tests }) =>
  tests.flatMap((test) => test.promql_expr_test),
)
const runbook = readFileSync(new URL('../../../../docs/alerts.md', import.meta.url), 'utf8')

/** Alerts with a unit test whose expected samples satisfy `when`. */
function testedWhere(when: (samples: unknown[]) => boolean): string[] {
  const tested = unitTests.filter(({ exp_samples }) => when(exp_samples))
  return [...new Set(tested.map(({ expr }) => /alertname="(\w+)"/.exec(expr)?.[1] ?? expr))]
}

/** Sections of the runbook: the name of an alert, and what stands below it. */
const entries = new Map(
  runbook
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
)

describe('the alert rules', () => {
  it('have names of their own', () => {
    expect(names).toEqual([...new Set(names)])
    expect(names.length).toBeGreaterThan(20)
  })

  it('say how urgent each is, what is wrong, what follows, and where to read on', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning|none)$/)])
      expect(Object.keys(annotations).toSorted()).toEqual(['description', 'runbook_url', 'summary'])
      expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`)
    }
  })

  it('have unit tests, in which each fires and in which each does not', () => {
    expect(names.filter((name) => !testedWhere((samples) => samples.length > 0).includes(name))).toEqual([])
    const silent = testedWhere((samples) => samples.length === 0)
    // It is always there: that is all it does.
    expect(names.filter((name) => !silent.includes(name))).toEqual(['Watchdog'])
  })
})

describe('the runbook', () => {
  it('has an entry for every alert, and an alert for every entry', () => {
    expect([...entries.keys()].toSorted()).toEqual(names.toSorted())
  })

  it('tells of each what it means, who notices, how to look, what to do and how it was provoked', () => {
    const parts = ['Means', 'Users notice', 'Look', 'Do', 'Provoked']
    for (const [name, entry] of entries) {
      const found = [...entry.matchAll(/^- \*\*(.+?):\*\*/gm)].map(([, part]) => part)
      expect([name, ...found]).toEqual([name, ...parts])
    }
  })
})
