import { describe, expect, it } from 'bun:test'
import { emptyRecord } from '../../../../../service/documents/document-record.ts'
import {
  createRetention,
  type RetentionRule,
} from '../../../../../service/documents/maintenance/retention.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const dayMs = 24 * 60 * 60 * 1000
const hexOf = (digit: number) => String(digit).repeat(64)

/** A store whose clock the test moves, with a version of `exports/<name>` for each day that is named. */
async function storeWith(days: number[], name = 'a') {
  const clock = { day: 0 }
  const store = createMemoryObjectStore({ now: () => new Date(1_800_000_000_000 + clock.day * dayMs) })
  const put = async (key: string, text = '') => {
    const bytes = new TextEncoder().encode(text)
    await store.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
  }
  for (const [index, day] of days.entries()) {
    clock.day = day
    await put(`tenants/acme/documents/exports/${name}/${hexOf(index)}`)
  }
  const tags: Record<string, object> = {}
  const tag = async (tagName: string, digit: number) => {
    const at = new Date(0).toISOString()
    tags[tagName] = { digest: `sha256:${hexOf(digit)}`, movedAt: at, movedBy: 'x', id: tagName }
    await put(`tenants/acme/records/exports/${name}`, JSON.stringify({ ...emptyRecord, revision: 1, tags }))
  }
  await tag('latest', days.length - 1)
  const expired = async (rule: Partial<RetentionRule>, tenants: string[] | null = ['acme']) => {
    const retention = createRetention(store)
    const found: string[] = []
    const whole = { type: 'exports', keepDays: 10, keepNewest: 1, ...rule }
    for await (const { version } of retention.expired(whole, tenants)) found.push(version.digest.slice(7, 8))
    return found
  }
  return { clock, put, tag, expired, store }
}

describe('retention', () => {
  it('yields versions that are older than the days, and none that is exactly as old', async () => {
    const { clock, expired } = await storeWith([0, 1, 2, 3])
    clock.day = 11
    expect(await expired({})).toEqual(['0'])
    clock.day = 11.1
    expect(await expired({})).toEqual(['1', '0'])
  })

  it('keeps the newest, however old they are, and always one', async () => {
    const { clock, expired } = await storeWith([0, 1, 2, 3])
    clock.day = 1000
    expect(await expired({ keepNewest: 3 })).toEqual(['0'])
    expect(await expired({ keepNewest: 0 })).toEqual(['2', '1', '0'])
  })

  it('keeps versions that a tag points to, `latest` included', async () => {
    const { clock, tag, expired } = await storeWith([0, 1, 2, 3])
    clock.day = 1000
    await tag('latest', 0)
    await tag('production', 1)
    expect(await expired({})).toEqual(['2'])
  })

  it('says that a record is damaged or missing: any version of its document may be tagged', async () => {
    const { clock, put, store } = await storeWith([0, 1])
    clock.day = 1000
    const rule = { type: 'exports', keepDays: 10, keepNewest: 1 }
    const recordsOf = async () =>
      (await Array.fromAsync(createRetention(store).expired(rule, ['acme']))).map(({ record }) => record)
    expect(await recordsOf()).toEqual(['sound'])
    await put('tenants/acme/records/exports/a', '{"format":')
    expect(await recordsOf()).toEqual(['damaged'])
    await store.delete('tenants/acme/records/exports/a')
    expect(await recordsOf()).toEqual(['missing'])
  })

  it('counts the newest of each document by itself', async () => {
    const { clock, put, expired } = await storeWith([0, 1])
    await put(`tenants/acme/documents/exports/a.b/${hexOf(7)}`)
    await put(`tenants/globex/documents/exports/a/${hexOf(8)}`)
    await put(`tenants/acme/documents/others/a/${hexOf(9)}`)
    clock.day = 1000
    expect(await expired({}, null)).toEqual(['0'])
  })

  it('refuses to remove a version that `latest` has moved to meanwhile', async () => {
    const { tag, store } = await storeWith([0, 1])
    await tag('latest', 0)
    const ref = { tenant: 'acme', type: 'exports', name: 'a', digest: `sha256:${hexOf(0)}` } as const
    const removed = createRetention(store).remove(ref, { by: 'retain', keepLatest: true })
    await expect(removed).rejects.toMatchObject({ code: 'version_tagged', details: { tags: ['latest'] } })
  })
})
