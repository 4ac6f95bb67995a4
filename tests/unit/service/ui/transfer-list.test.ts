import { describe, expect, it } from 'bun:test'
import { plain } from '../../../../service/ui/failures/failure.ts'
import {
  nextToStart,
  runningMax,
  type Transfer,
  type TransferEvent,
  transferList,
} from '../../../../service/ui/transfers/transfer-list.ts'

function waiting(id: string, kind: Transfer['kind'] = 'upload'): Transfer {
  return {
    ...{ id, kind, sizeBytes: 10, status: 'waiting', progress: null, failure: null, detour: null },
    ...{ published: null, created: false, link: null },
    document: { tenant: 'acme', type: 'definitions', name: `${id}.json` },
  }
}

/** The only transfer of a list after these. */
function after(...events: TransferEvent[]): Transfer {
  const first: TransferEvent = { kind: 'added', transfers: [waiting('a')] }
  const [transfer] = [first, ...events].reduce<readonly Transfer[]>(transferList, [])
  if (!transfer) throw new Error('the list is empty')
  return transfer
}

const started: TransferEvent = { kind: 'started', id: 'a' }
const failed: TransferEvent = { kind: 'failed', id: 'a', failure: plain('x', 'Title', 'Detail') }
const cancelled: TransferEvent = { kind: 'cancelled', id: 'a' }
const sending: TransferEvent = {
  kind: 'progress',
  id: 'a',
  progress: { phase: 'send', bytes: 4, totalBytes: 10 },
}

describe('a transfer', () => {
  it('goes from waiting over its phases to done', () => {
    expect(after().status).toBe('waiting')
    expect(after(started).status).toBe('hashing')
    expect(after(started, sending)).toMatchObject({ status: 'sending', progress: { bytes: 4 } })
    const verifying: TransferEvent = {
      ...sending,
      progress: { phase: 'verify', bytes: 0, totalBytes: 10 },
    } as TransferEvent
    expect(after(started, sending, verifying).status).toBe('verifying')
  })

  it('waits for a sign-in in any phase, and continues in it', () => {
    const awaited: TransferEvent = { kind: 'sign-in-awaited', id: 'a' }
    const over: TransferEvent = { kind: 'sign-in-over', id: 'a' }
    expect(after(started, sending, awaited).status).toBe('waiting-for-sign-in')
    expect(after(started, sending, awaited, over).status).toBe('sending')
    expect(after(started, awaited, over).status).toBe('hashing')
  })

  it('stays over, whatever the worker says late', () => {
    expect(after(started, cancelled, sending).status).toBe('cancelled')
    expect(after(started, failed, sending).status).toBe('failed')
    expect(after(started, cancelled, failed).status).toBe('cancelled')
  })

  it('begins again when it is retried, under another name if one is given', () => {
    const again = after(started, failed, { kind: 'queued', id: 'a', name: 'b.json' })
    expect(again).toMatchObject({ status: 'waiting', failure: null, progress: null })
    expect(again.document.name).toBe('b.json')
    expect(after(started, sending, { kind: 'queued', id: 'a' }).status).toBe('sending')
  })
})

describe('the list of transfers', () => {
  const list = ['a', 'b', 'c', 'd'].map((id) => waiting(id))
  const apply = (...events: TransferEvent[]) => events.reduce<readonly Transfer[]>(transferList, list)
  const ids = (transfers: readonly Transfer[]) => transfers.map(({ id }) => id)

  it('starts two at once, in their order, and the next when one is over', () => {
    expect(runningMax).toBe(2)
    expect(ids(nextToStart(list))).toEqual(['a', 'b'])
    const two = apply(started, { kind: 'started', id: 'b' })
    expect(nextToStart(two)).toEqual([])
    expect(ids(nextToStart(transferList(two, cancelled)))).toEqual(['c'])
  })

  it('keeps what runs when it is dismissed, and removes what is over', () => {
    expect(ids(apply(started, { kind: 'dismissed', id: 'a' }))).toEqual(['a', 'b', 'c', 'd'])
    expect(ids(apply(started, cancelled, { kind: 'dismissed', id: 'a' }))).toEqual(['b', 'c', 'd'])
  })

  it('keeps failures when it is cleared, so that no one misses them', () => {
    const cleared = apply(started, failed, { kind: 'cancelled', id: 'b' }, { kind: 'cleared' })
    expect(ids(cleared)).toEqual(['a', 'c', 'd'])
  })

  it('keeps what has not changed as it is, so that it is not rendered again', () => {
    const next = apply(started)
    expect(next[0]).not.toBe(list[0])
    expect(next[1]).toBe(list[1])
    expect(next[3]).toBe(list[3])
  })

  it('forgets everything when it is emptied', () => {
    expect(apply(started, { kind: 'emptied' })).toEqual([])
  })
})
