import { describe, expect, it } from 'bun:test'
import { takeInventories } from '../../service/documents/maintenance/inventory-walk.ts'
import { callerOf, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

const { service, call } = await ownService()

describe('the usage of a tenant', () => {
  it('is not known before the first inventory, which says so', async () => {
    const unknown = await call('usage')
    expect(await refusalOf(unknown)).toBe('503 usage_unknown')
  })

  it('says what it has stored by type, its newest versions, and how old this is', async () => {
    const before = Date.now()
    for (const content of ['A', 'BB']) await put(call, 'bundles/app', content)
    await put(call, 'reports/weekly', 'CCC')
    const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
    await put(globex, '/v1/tenants/globex/documents/secrets/plan', 'of another tenant')
    expect(await takeInventories(service.store)).toBe('finished')
    service.storeCalls.length = 0
    const response = await call('usage')
    expect(service.storeCalls).toEqual(['getWhole'])
    expect(response.headers.get('cache-control')).toBe('no-store')
    const usage = await jsonOf(response)
    expect(usage).toMatchObject({
      tenant: 'acme',
      types: [
        { type: 'bundles', documents: 1, versions: 2, bytes: 3 },
        { type: 'reports', documents: 1, versions: 1, bytes: 3 },
      ],
    })
    expect(Date.parse(String(usage.startedAt))).toBeGreaterThan(before - 2000)
    expect(usage.newest).toContainEqual({
      ...{ tenant: 'acme', type: 'reports', name: 'weekly', digest: digestOf('CCC'), size: 3 },
      storedAt: expect.any(String),
    })
    expect(JSON.stringify(usage)).not.toContain('plan')
  })

  it('is counted by the service itself, by one replica for all, with the totals in its log', async () => {
    const before = await ownService()
    await put(before.call, 'bundles/app', 'A')
    const counting = { replicaOf: before.service, inventoryDelaySeconds: 0.2 }
    const [first, second] = [await ownService(counting), await ownService(counting)]
    await until(async () => (await second.call('usage')).ok)
    const { types } = await jsonOf(await second.call('usage'))
    expect(types).toEqual([{ type: 'bundles', documents: 1, versions: 1, bytes: 1 }])
    const walks = () =>
      [first, second].flatMap(({ service }) =>
        service.logs().filter(({ event }) => event === 'inventory.finished'),
      )
    await until(() => walks().length > 0)
    expect(walks()).toMatchObject([{ documents: 1, versions: 1, bytes: 1 }])
  })

  it('is of the tenant in the token alone, and needs the scope to read', async () => {
    const foreign = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const writer = await callerOf(service, await service.token({ scope: 'documents:write' }))
    expect(await refusalOf(await foreign('usage'))).toBe('404 document_not_found')
    expect(await refusalOf(await writer('usage'))).toBe('403 scope_missing')
  })
})
