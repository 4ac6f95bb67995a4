import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { randomBytes } from 'node:crypto'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { registerSecret } from '../../support/secrets.ts'
import { callerOf, jsonOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { startPrivateStore } from '../../support/stores/store.ts'

setDefaultTimeout(600_000)

const encryptionKey = randomBytes(32).toString('base64')
registerSecret(encryptionKey)
const store = stoppedAfterTests(await startPrivateStore({ encryptionKey }))

/** Runs once, before the service next asks its store for a copy. */
let beforeCopy: (() => Promise<unknown>) | undefined

function interrupted(store: ObjectStore): ObjectStore {
  const calls = Object.entries(store).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      if (name.startsWith('copy')) {
        const interrupt = beforeCopy
        beforeCopy = undefined
        await interrupt?.()
      }
      return (method as (...args: unknown[]) => unknown)(...args)
    },
  ])
  return Object.fromEntries(calls) as ObjectStore
}

const { service } = await ownService({ store, decorate: interrupted })
const calls = await ticketCalls(service)

function published(name: string, bytes: Uint8Array) {
  return storedUnder(service.store, keyOf('bundles', name, digestOf(bytes)))
}

describe('a completion on a store whose ETags are no MD5', () => {
  it('runs on a store that gives equal bytes different ETags', async () => {
    const bytes = randomDocument(KiB)
    const options = { size: KiB, contentType: 'text/plain' }
    const first = await service.store.put('staging/_probe/a', bytes, options)
    const second = await service.store.put('staging/_probe/b', bytes, options)
    expect(first?.etag).not.toBe(second?.etag)
  })

  it('publishes what was uploaded', async () => {
    const bytes = randomDocument(KiB)
    const response = await calls.complete('plain', await calls.uploaded('plain', bytes))
    expect([response.status, (await jsonOf(response)).tags]).toEqual([201, ['latest']])
    expect(await published('plain', bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
  })

  it('keeps the version that another client has published before the copy, with the metadata of that client', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await calls.uploaded('overtaken', bytes)
    const bob = await callerOf(service, await service.token({ sub: 'bob' }))
    const headers = { 'content-type': 'text/plain' }
    let first: Response | undefined
    beforeCopy = async () => {
      first = await bob('bundles/overtaken', { method: 'PUT', body: bytes, headers })
    }
    const completed = await calls.complete('overtaken', ticket)
    expect([first?.status, completed.status]).toEqual([201, 200])
    const facts = { createdBy: 'bob', contentType: 'text/plain' }
    expect(await jsonOf(completed)).toMatchObject(facts)
    expect(await published('overtaken', bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
  })
})
