import { describe, expect, it } from 'bun:test'
import {
  type DeletionMark,
  DocumentRecord,
  deletionOf,
  emptyRecord,
  newChangeId,
  sealed,
  tagsPointingTo,
  withDeletion,
  withMark,
  withoutTag,
  withTag,
  withUpload,
} from '../../../../service/documents/document-record.ts'
import { storedJson } from '../../../../service/documents/stored-json.ts'
import { limits } from '../../../../service/limits.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const [a, b] = [digestOf('A'), digestOf('B')]
const mark: DeletionMark = { id: 'm', until: '2026-11-29T12:00:30.000Z', by: 'bob' }
const many = (count: number) => Array.from({ length: count }, (_, index) => digestOf(String(index)))
const uploaded = (record: DocumentRecord, digest: typeof a) => withUpload(record, { digest, by: 'alice' })
const deleted = (record: DocumentRecord, digest: typeof a, at: string) =>
  withDeletion(record, { digest, at, by: 'bob', id: 'm' })

const recordOf = (text: string) => storedJson(DocumentRecord, { body: new TextEncoder().encode(text) })

describe('the text of a record', () => {
  it('is read as it was written', async () => {
    const record = withMark(uploaded(uploaded(emptyRecord, a), b), b, { mark, latest: a })
    const written = sealed(deleted(record, b, '2026-11-29T12:00:00.000Z'), newChangeId())
    expect(await recordOf(JSON.stringify(written))).toEqual(written)
  })

  it('is none of a record if anything in it has another form', async () => {
    const others = ['', 'null', '[]', '{}', { ...emptyRecord, format: 2 }, { ...emptyRecord, order: ['x'] }]
    const texts = others.map((other) => (typeof other === 'string' ? other : JSON.stringify(other)))
    expect(await Promise.all(texts.map(recordOf))).toEqual(texts.map(() => null))
  })

  it('grows by one revision with every write, and remembers the last of them', () => {
    let record = emptyRecord
    const ids = Array.from({ length: limits.recordChangesMax + 1 }, () => newChangeId())
    for (const id of ids) record = sealed(record, id)
    expect(record).toMatchObject({ revision: ids.length, changes: ids.slice(1) })
  })

  it('stays within its size with all tags, versions and deletions, and the longest names', () => {
    const by = 'x'.repeat(limits.tokenSubjectCharsMax)
    const at = new Date().toISOString()
    let record = emptyRecord
    for (let tag = 0; tag < limits.tagsPerNameMax; tag += 1) {
      record = withTag(record, String(tag).padEnd(128, 'x'), { digest: a, by })
    }
    for (const digest of many(limits.recordMarksMax))
      record = withMark(record, digest, { mark, latest: null })
    for (const digest of many(limits.recordDeletionsMax)) {
      record = withUpload(record, { digest, by, completed: newChangeId() })
      record = withDeletion(record, { digest, at, by, id: newChangeId() })
    }
    expect(JSON.stringify(sealed(record, newChangeId())).length).toBeLessThan(limits.recordBytesMax)
  })
})

describe('tags in a record', () => {
  it('are at most 500, and "latest" has its place in any case', () => {
    let record = emptyRecord
    for (let tag = 0; tag < limits.tagsPerNameMax; tag += 1) {
      record = withTag(record, `v${tag}`, { digest: a, by: 'alice' })
    }
    const full = uploaded(record, b)
    const more = () => withTag(full, 'more', { digest: a, by: 'alice' })
    expect(more).toThrow(expect.objectContaining({ code: 'tags_exhausted' }))
    expect(withTag(full, 'v0', { digest: b, by: 'alice' }).tags.v0?.digest).toBe(b)
    expect(Object.keys(withTag(withoutTag(full, 'v0'), 'more', { digest: a, by: 'alice' }).tags)).toContain(
      'more',
    )
    expect(tagsPointingTo(full, b)).toEqual(['latest'])
  })
})

describe('the order of versions in a record', () => {
  it('has each once, in the order in which they were last acknowledged, and only the last of many', () => {
    const again = [a, b, a].reduce(uploaded, emptyRecord)
    expect(again.order).toEqual([b, a])
    const digests = many(limits.recordOrderMax + 1)
    expect(sealed(digests.reduce(uploaded, emptyRecord), 'id').order).toEqual(digests.slice(1))
  })
})

describe('deletions in a record', () => {
  it('are forgotten once the version is uploaded or tagged again', () => {
    const record = deleted(emptyRecord, a, '2026-11-29T12:00:00.000Z')
    expect(deletionOf(record, a)).toMatchObject({ by: 'bob' })
    expect(deletionOf(uploaded(record, a), a)).toBeUndefined()
    expect(deletionOf(withTag(record, 'v1', { digest: a, by: 'alice' }), a)).toBeUndefined()
  })

  it('are forgotten after 90 days, and only the last of many are kept', () => {
    const old = deleted(emptyRecord, a, '2026-08-01T00:00:00.000Z')
    expect(deletionOf(deleted(old, b, '2026-10-30T00:00:00.000Z'), a)).toBeDefined()
    expect(deletionOf(deleted(old, b, '2026-10-30T00:00:00.001Z'), a)).toBeUndefined()
    const digests = many(limits.recordDeletionsMax + 1)
    const at = '2026-11-29T12:00:00.000Z'
    const { deleted: kept } = digests.reduce((record, digest) => deleted(record, digest, at), emptyRecord)
    expect(kept.map(({ digest }) => digest)).toEqual(digests.slice(1))
  })

  it('refuse another one as busy once too many wait for their end', () => {
    let record = emptyRecord
    for (const digest of many(limits.recordMarksMax))
      record = withMark(record, digest, { mark, latest: null })
    const more = () => withMark(record, a, { mark, latest: null })
    expect(more).toThrow(expect.objectContaining({ code: 'busy' }))
  })
})
