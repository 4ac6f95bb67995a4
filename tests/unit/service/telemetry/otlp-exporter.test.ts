import { beforeEach, describe, expect, it } from 'bun:test'
import { ExportResultCode } from '@opentelemetry/core'
import { createBacklog, createOtlpExporter } from '../../../../service/telemetry/otlp-exporter.ts'
import type { Sent } from '../../../../service/telemetry/otlp-sender.ts'

interface Answer {
  rejected?: number | string
}

const events: unknown[] = []
beforeEach(() => {
  events.length = 0
})

/** Exports `items` texts to a backend that answers as `sent` says, and gives the code of the result. */
async function exported(items: number, sent: Sent | (() => never)): Promise<ExportResultCode> {
  const backlog = createBacklog(100, () => events.push('refused'))
  for (let item = 0; item < items; item += 1) backlog.admit()
  const exporter = createOtlpExporter<string, Answer>({
    serializer: {
      serializeRequest: (texts) => new TextEncoder().encode(JSON.stringify(texts)),
      deserializeResponse: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
    },
    send: async () => (typeof sent === 'function' ? sent() : sent),
    backlog,
    rejectedOf: ({ rejected }) => rejected,
    onExported: (count) => events.push(['exported', count]),
    onDropped: (reason, count, why) => events.push([reason, count, why]),
  })
  const code = await new Promise<ExportResultCode>((resolve) =>
    exporter.export(Array.from({ length: items }, String), (result) => resolve(result.code)),
  )
  expect(backlog.waiting()).toBe(0)
  return code
}

function taken(answer: string): Sent {
  return { taken: true, answer: new TextEncoder().encode(answer) }
}

describe('a batch of telemetry', () => {
  it('counts as exported if it was taken', async () => {
    expect(await exported(3, taken('{}'))).toBe(ExportResultCode.SUCCESS)
    expect(events).toEqual([['exported', 3]])
  })

  it('counts as dropped if it was not taken', async () => {
    expect(await exported(3, { taken: false, why: 'timeout' })).toBe(ExportResultCode.FAILED)
    expect(events).toEqual([['export_failed', 3, 'timeout']])
  })

  it('counts in part if the backend rejects items, given as a number or as text', async () => {
    await exported(5, taken('{"rejected":2}'))
    await exported(5, taken('{"rejected":"2"}'))
    const counted = [
      ['rejected', 2, 'rejected'],
      ['exported', 3],
    ]
    expect(events).toEqual([...counted, ...counted])
  })

  it('counts as exported where the answer is nonsense, and never as more than it was', async () => {
    for (const answer of ['', '<html>', 'null', '[]', '{"rejected":"many"}', '{"rejected":-7}']) {
      await exported(2, taken(answer))
    }
    expect(events).toEqual(Array.from({ length: 6 }, () => ['exported', 2]))
    events.length = 0
    await exported(2, taken('{"rejected":1000000}'))
    expect(events).toEqual([
      ['rejected', 2, 'rejected'],
      ['exported', 0],
    ])
  })

  it('leaves the backlog also where sending it throws', async () => {
    const thrown = () => {
      throw new Error('a mistake of ours')
    }
    expect(await exported(2, thrown)).toBe(ExportResultCode.FAILED)
    expect(events).toEqual([['export_failed', 2, 'not written']])
  })
})

describe('a backlog', () => {
  it('admits as many items as it may hold, and more once some have left', () => {
    let refused = 0
    const backlog = createBacklog(2, () => {
      refused += 1
    })
    expect([backlog.admit(), backlog.admit(), backlog.admit()]).toEqual([true, true, false])
    expect([backlog.waiting(), refused]).toEqual([2, 1])
    backlog.release(1)
    expect([backlog.admit(), backlog.admit()]).toEqual([true, false])
  })
})
