import { describe, expect, it } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { createPrometheusMetrics } from '../../../../service/telemetry/prometheus-metrics.ts'

const readme = await readFile(new URL('../../../../service/telemetry/README.md', import.meta.url), 'utf8')

/** Returns the code spans in the first two columns of the table below a heading. */
function table(heading: string): { names: string[]; labels: string[] }[] {
  const section = readme.slice(readme.indexOf(`## ${heading}\n`)).split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  return rows.map((row) => {
    const [, names = '', labels = ''] = row.split('|')
    return { names: quoted(names), labels: quoted(labels) }
  })
}

function quoted(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, text = '']) => text)
}

describe('the audit log', () => {
  it('is writable as long as its lines are written', async () => {
    let works = false
    const capabilities = () => ({})
    const metrics = createPrometheusMetrics({ version: '1.2.3', capabilities, auditWorks: () => works })
    const writable = async () => /^documents_audit_writable (\d)$/m.exec(await metrics.exposition())?.[1]
    expect(await writable()).toBe('0')
    works = true
    expect(await writable()).toBe('1')
  })
})

describe('the reachability of the store', () => {
  it('is what the last call saw, and unaffected by calls that found no connection or were aborted', async () => {
    const metrics = createPrometheusMetrics({
      version: '1.2.3',
      capabilities: () => ({}),
      auditWorks: () => true,
    })
    const reachable = async () => /^documents_store_reachable (\d)$/m.exec(await metrics.exposition())?.[1]
    metrics.storeCalled('GetObject', 'ok', 1)
    for (const outcome of ['busy', 'aborted']) metrics.storeCalled('GetObject', outcome, 1)
    expect(await reachable()).toBe('1')
    metrics.storeCalled('GetObject', 'unavailable', 1)
    for (const outcome of ['busy', 'aborted']) metrics.storeCalled('GetObject', outcome, 1)
    expect(await reachable()).toBe('0')
    metrics.storeCalled('GetObject', 'not_found', 1)
    expect(await reachable()).toBe('1')
  })
})

describe('what all tenants have stored', () => {
  it('is no metric before it is known, and then what was counted last', async () => {
    const metrics = createPrometheusMetrics({
      version: '1',
      capabilities: () => ({}),
      auditWorks: () => true,
    })
    expect(await metrics.exposition()).not.toContain('documents_stored')
    metrics.inventoryKnown({ documents: 1, versions: 2, bytes: 3, at: 4000 })
    metrics.inventoryKnown({ documents: 10, versions: 20, bytes: 30, at: 5500 })
    const exposition = await metrics.exposition()
    for (const line of [
      'documents_stored 10',
      'documents_stored_versions 20',
      'documents_stored_bytes 30',
      'documents_inventory_timestamp_seconds 5.5',
    ])
      expect(exposition.split('\n')).toContain(line)
  })
})

describe('the table of metrics in the README of telemetry', () => {
  it('names every metric that exists, and no other', async () => {
    const metrics = createPrometheusMetrics({
      version: '1.2.3',
      capabilities: () => ({}),
      auditWorks: () => true,
    })
    metrics.inventoryKnown({ documents: 1, versions: 2, bytes: 3, at: 4 })
    const found = Array.from(
      (await metrics.exposition()).matchAll(/^# TYPE (\S+) /gm),
      ([, name = '']) => name,
    )
    const forms = table('Metrics').flatMap(({ names }) => names)
    const matches = (form: string, name: string) =>
      form.endsWith('*') ? name.startsWith(form.slice(0, -1)) : form === name
    expect(found.length).toBeGreaterThan(15)
    expect(found.filter((name) => !forms.some((form) => matches(form, name)))).toEqual([])
    expect(forms.filter((form) => !found.some((name) => matches(form, name)))).toEqual([])
  })

  it('names the labels of each metric', async () => {
    const metrics = createPrometheusMetrics({
      version: '1.2.3',
      capabilities: () => ({ one: 'yes' }),
      auditWorks: () => true,
    })
    metrics.requestAnswered({ method: 'GET', route: '/x', status: 200, seconds: 1 })
    metrics.storeCalled('GetObject', 'ok', 1)
    const lines = (await metrics.exposition()).split('\n')
    const labelsOf = (name: string) => {
      const line = lines.find((each) => new RegExp(`^${name}(_count)?\\{`).test(each)) ?? ''
      return Array.from(line.matchAll(/[{,](\w+)="/g), ([, label = '']) => label)
    }
    const said = table('Metrics').filter(({ names: [name = ''] }) => !name.endsWith('*'))
    expect(said.map(({ names: [name = ''] }) => [name, ...labelsOf(name).sort()])).toEqual(
      said.map(({ names: [name = ''], labels }) => [name, ...labels.toSorted()]),
    )
    expect(said.length).toBeGreaterThan(10)
  })
})
