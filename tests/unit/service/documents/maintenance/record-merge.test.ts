import { describe, expect, it } from 'bun:test'
import { type DocumentRecord, emptyRecord } from '../../../../../service/documents/document-record.ts'
import { merged } from '../../../../../service/documents/maintenance/record-merge.ts'
import { limits } from '../../../../../service/limits.ts'
import type { Digest } from '../../../../../service/wire/names.ts'
import { digestOf } from '../../../../support/service/sample-documents.ts'
import { deletion, entry, minute } from '../../../../support/service/stored-documents.ts'

const digest = (content: string) => digestOf(Buffer.from(content))
const record = (parts: Partial<DocumentRecord>): DocumentRecord => ({ ...emptyRecord, revision: 1, ...parts })
const everything = () => true
const allBut = (...contents: string[]) => {
  const absent = new Set<Digest>(contents.map(digest))
  return (asked: Digest) => !absent.has(asked)
}
const resultsOf = ({ tags }: ReturnType<typeof merged>) => tags.map(({ tag, result }) => [tag, result])

describe('a merge of two records', () => {
  it('takes over the tags that are absent or older, and keeps those that are as old or newer', () => {
    const into = record({
      tags: { older: entry('1', minute(1)), newer: entry('1', minute(9)), same: entry('1', minute(1)) },
    })
    const from = record({
      tags: {
        older: entry('2', minute(5)),
        newer: entry('2', minute(5)),
        same: entry('2', minute(1)),
        absent: entry('2', minute(5)),
      },
    })
    const result = merged(into, from, everything)
    expect(resultsOf(result)).toEqual([
      ['older', 'moved'],
      ['newer', 'kept'],
      ['same', 'kept'],
      ['absent', 'copied'],
    ])
    expect(result.record.tags).toEqual({
      older: entry('2', minute(5)),
      newer: entry('1', minute(9)),
      same: entry('1', minute(1)),
      absent: entry('2', minute(5)),
    })
  })

  it('leaves the same record if the other one adds nothing', () => {
    const into = record({
      tags: { latest: entry('1') },
      order: [digest('1')],
      deleted: [deletion('2', minute(1))],
    })
    expect(merged(into, structuredClone(into), everything).record).toBe(into)
  })

  it('takes over no tag on a version that the store does not hold', () => {
    const from = record({
      tags: { latest: entry('1'), production: entry('2') },
      order: [digest('2'), digest('1')],
    })
    const result = merged(emptyRecord, from, allBut('2'))
    expect(resultsOf(result)).toEqual([
      ['latest', 'copied'],
      ['production', 'withheld'],
    ])
    expect(result.record.order).toEqual([digest('1')])
  })

  it('puts the order behind the later latest last', () => {
    const into = record({ tags: { latest: entry('2', minute(2)) }, order: ['1', '2'].map(digest) })
    const from = record({ tags: { latest: entry('1', minute(3)) }, order: ['3', '2', '1'].map(digest) })
    expect(merged(into, from, everything).record.order).toEqual(['3', '2', '1'].map(digest))
    expect(merged(from, into, everything).record.order).toEqual(['3', '2', '1'].map(digest))
  })

  it('unites the deletions, and notes none of a version that the store holds', () => {
    const into = record({ deleted: [deletion('1', minute(5)), deletion('2', minute(1))] })
    const from = record({
      deleted: [
        deletion('1', minute(4)),
        deletion('2', minute(3)),
        deletion('3', minute(2)),
        deletion('4', minute(2)),
      ],
    })
    expect(merged(into, from, allBut('1', '2', '3')).record.deleted).toEqual([
      deletion('3', minute(2)),
      deletion('2', minute(3)),
      deletion('1', minute(5)),
    ])
  })

  it('takes over no marks', () => {
    const mark = { id: 'a', until: minute(1), by: 'alice' }
    const from = record({ deleting: { [digest('1')]: mark } })
    expect(merged(emptyRecord, from, everything).record).toBe(emptyRecord)
  })

  it('leaves out tags beyond the most that a document may have, but never latest', () => {
    const names = Array.from({ length: limits.tagsPerNameMax }, (_, at) => `v${at}`)
    const into = record({ tags: Object.fromEntries(names.map((name) => [name, entry('1')])) })
    const from = record({ tags: { one: entry('1'), latest: entry('1') } })
    expect(resultsOf(merged(into, from, everything))).toEqual([
      ['one', 'exhausted'],
      ['latest', 'copied'],
    ])
  })

  it('knows tags that are named like properties of every object', () => {
    const tags = JSON.parse(JSON.stringify({ constructor: entry('1') }).replace('constructor', '__proto__'))
    const result = merged(
      record({ tags: { toString: entry('2') } }),
      record({ tags: { ...tags, constructor: entry('1') } }),
      everything,
    )
    expect(resultsOf(result)).toEqual([
      ['__proto__', 'copied'],
      ['constructor', 'copied'],
    ])
    expect(Object.keys(result.record.tags)).toEqual(['toString', '__proto__', 'constructor'])
  })
})
