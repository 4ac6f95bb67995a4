import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { acme, type Caller, callerOf, jsonOf, put } from '../../support/service/caller.ts'
import { ownChildService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'

setDefaultTimeout(600_000)

const preload = fileURLToPath(new URL('../../support/service/shifted-clock.ts', import.meta.url))
const main = fileURLToPath(new URL('../../../service/main.ts', import.meta.url))
/** Far more than uploads take, and less than a store allows the date of a request to differ. */
const minutes = 60

const { service: right } = await ownChildService()
const ahead = await replicaWithClock(2 * minutes)
const behind = await replicaWithClock(-2 * minutes)

/** Starts another replica, whose clock is that many seconds ahead. */
async function replicaWithClock(aheadSeconds: number): Promise<Caller> {
  const { service } = await ownChildService({
    replicaOf: right,
    argv: [process.execPath, '--preload', preload, main],
    env: { CLOCK_AHEAD_SECONDS: String(aheadSeconds) },
  })
  return callerOf(service, await tokenForAllClocks())
}

/** A token that is valid already where the clock is behind, and still where it is ahead. */
function tokenForAllClocks(): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return right.token({ iat: now - 10 * minutes, exp: now + 10 * minutes })
}

const call = await callerOf(right, await tokenForAllClocks())

async function latestOf(caller: Caller, name: string): Promise<unknown> {
  const response = await caller(`${acme}/clocked/${name}/tags/latest`)
  return response.ok ? (await jsonOf(response)).digest : response.status
}

async function remove(caller: Caller, name: string, body: string): Promise<number> {
  const response = await caller(`clocked/${name}/versions/${digestOf(body)}`, { method: 'DELETE' })
  return response.status
}

describe('replicas whose clocks differ by minutes', () => {
  it('have the clocks that this file says', async () => {
    const shown = async (caller: Caller, name: string) =>
      Date.parse(String((await put(caller, `clocked/${name}`, name)).createdAt)) - Date.now()
    expect(await shown(ahead, 'a')).toBeGreaterThan(100_000)
    expect(await shown(behind, 'b')).toBeLessThan(-100_000)
  })

  it('make every accepted upload the latest, whichever replica took the one before', async () => {
    await put(ahead, 'clocked/turns', 'first')
    for (let turn = 0; turn < 20; turn += 1) {
      const caller = [call, behind, ahead][turn % 3] ?? call
      const { digest, tags } = await put(caller, 'clocked/turns', `turn ${turn}`)
      expect([turn, tags, await latestOf(call, 'turns')]).toEqual([turn, ['latest'], digest])
    }
  })

  it('make the upload after a delete the latest, where the clock is behind that of the store', async () => {
    for (const body of ['A', 'B']) await put(behind, 'clocked/after', body)
    expect(await remove(behind, 'after', 'B')).toBe(204)
    const { tags } = await put(behind, 'clocked/after', 'C')
    expect([tags, await latestOf(behind, 'after')]).toEqual([['latest'], digestOf('C')])
  })

  it('delete versions, each by its own clock', async () => {
    for (const [index, caller] of [ahead, behind, call].entries()) {
      await put(call, `clocked/deleted-${index}`, 'A')
      await put(caller, `clocked/deleted-${index}`, 'B')
      expect(await remove(caller, `deleted-${index}`, 'B')).toBe(204)
      expect(await latestOf(call, `deleted-${index}`)).toBe(digestOf('A'))
    }
  })
})
