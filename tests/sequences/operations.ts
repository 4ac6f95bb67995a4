import fc from 'fast-check'
import { KiB, MiB } from '../support/service/sample-documents.ts'

/** Tenants, names and tags of a sequence: few, so that operations meet. */
export const tenants = ['acme', 'globex', 'initech'] as const
/** One begins with the other, and `-` sorts before the `/` that ends a name in a key. */
export const names = ['orders', 'orders-eu'] as const
export const tags = ['latest', 'production', 'canary'] as const

/** Different bytes of a sequence; every operation names one of them by its number. */
const contentsPerSequence = 4

/** Bytes of one content. */
export interface Content {
  size: number
  /** Contents of equal size and seed are equal. */
  seed: number
}

export interface Target {
  tenant: (typeof tenants)[number]
  name: (typeof names)[number]
  /** Which of the two replicas is asked. */
  replica: 0 | 1
}

type Named = { tag: (typeof tags)[number] } | { content: number }

/** Of a tag: no If-Match, or one with the ETag that the tag has, with one that it had, or with any. */
export type Condition = 'none' | 'current' | 'stale' | 'any'

/** Of an upload: no condition, `If-None-Match: *`, or `If-Match` with the digest of a content. */
export type UploadCondition = 'none' | 'new' | { latest: number }

export type Range =
  | { from: number; length: number }
  /** Up to the end. */
  | { from: number }
  | { last: number }

/** One call, or one run of a command, as plain data. */
export type Operation =
  | (Target & {
      do: 'put'
      content: number
      digest: 'declared' | 'absent' | 'wrong'
      length: 'declared' | 'chunked'
      contentType: string
      by: 'alice' | 'bob'
      condition: UploadCondition
    })
  | (Target & { do: 'get'; of: Named; range: Range | null; has: boolean })
  | (Target & { do: 'head'; of: Named })
  | (Target & { do: 'list'; by: 'type' | 'name' | 'prefix'; limit: number })
  | (Target & { do: 'list names'; include: 'nothing' | 'latest' | 'tags'; limit: number })
  | (Target & { do: 'list by tag'; tag: Exclude<(typeof tags)[number], 'latest'>; limit: number })
  | (Target & { do: 'tags' })
  | (Target & { do: 'versions'; limit: number })
  | (Target & { do: 'delete'; content: number })
  | (Target & { do: 'delete many'; contents: number[] })
  | (Target & { do: 'have'; contents: number[] })
  | (Target & { do: 'archive'; contents: number[]; by: 'call' | 'link' })
  | (Target & { do: 'read tag'; tag: (typeof tags)[number] })
  | (Target & {
      do: 'move tag'
      tag: (typeof tags)[number]
      content: number
      /** `new`: `If-None-Match: *`. */
      condition: Condition | 'new'
    })
  | (Target & { do: 'remove tag'; tag: (typeof tags)[number]; condition: Condition })
  | (Target & { do: 'ask for a ticket'; content: number; contentType: string; sends: boolean })
  /** Of one of the tickets that the sequence was given, counted backwards. */
  | { do: 'complete'; ticket: number; replica: 0 | 1 }
  | (Target & { do: 'download'; content: number })
  | (Target & { do: 'download many'; contents: number[] })
  | { do: 'retain'; tenant: (typeof tenants)[number]; keepNewest: number }
  | { do: 'sweep' }

/** An operation of one kind. */
export type OperationOf<Name extends Operation['do']> = Extract<Operation, { do: Name }>

/** What a run of the property tries: contents, and operations on them in their order. */
export interface Sequence {
  contents: Content[]
  operations: Operation[]
}

const pick = <const T>(...items: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...items)
const around = (bytes: number) => [bytes - 1, bytes, bytes + 1]

/** Sizes on both sides of every limit at which the service changes its way; a body above 1 MiB costs what a hundred small ones cost. */
const size = fc.oneof(
  { weight: 40, arbitrary: pick(0, 1, 2, 100) },
  { weight: 12, arbitrary: pick(...around(64 * KiB), ...around(256 * KiB)) },
  { weight: 4, arbitrary: pick(...around(MiB)) },
  { weight: 1, arbitrary: pick(...around(8 * MiB)) },
)
const content = fc.nat(contentsPerSequence - 1)
const contents = fc.array(content, { minLength: 1, maxLength: contentsPerSequence })
const contentType = pick('application/json', 'text/plain; charset=utf-8')
const tag = pick(...tags)
const condition = pick('none', 'current', 'stale', 'any')
const uploadCondition = fc.oneof(
  { weight: 6, arbitrary: pick('none') },
  { weight: 1, arbitrary: pick('new') },
  { weight: 2, arbitrary: fc.record({ latest: content }) },
)
const named = fc.oneof(fc.record({ tag }), fc.record({ content }))
const position = fc.oneof(fc.nat(3), pick(...around(64 * KiB), MiB - 1, MiB, 8 * MiB - 1))
const range = fc.oneof(
  fc.record({ from: position, length: fc.integer({ min: 1, max: 70 * KiB }) }),
  fc.record({ from: position }),
  fc.record({ last: fc.integer({ min: 1, max: 70 * KiB }) }),
)
const replica = pick(0, 1)
const target = { tenant: pick(...tenants), name: pick(...names), replica }
const limit = fc.integer({ min: 1, max: 4 })

/** One kind of operation, and how often it is tried in comparison with others. */
function kind<Name extends Operation['do']>(
  weight: number,
  name: Name,
  fields: { [Field in keyof Omit<OperationOf<Name>, 'do'>]: fc.Arbitrary<OperationOf<Name>[Field]> },
) {
  return { weight, arbitrary: fc.record({ do: fc.constant(name), ...fields }) as fc.Arbitrary<unknown> }
}

const operation = fc.oneof(
  kind(10, 'put', {
    ...{ ...target, content, contentType },
    digest: fc.oneof(
      { weight: 8, arbitrary: pick('declared', 'absent') },
      { weight: 1, arbitrary: pick('wrong') },
    ),
    length: pick('declared', 'chunked'),
    by: pick('alice', 'bob'),
    condition: uploadCondition,
  }),
  kind(4, 'get', { ...target, of: named, range: fc.option(range), has: fc.boolean() }),
  kind(2, 'head', { ...target, of: named }),
  kind(2, 'list', { ...target, by: pick('type', 'name', 'prefix'), limit }),
  kind(2, 'list names', { ...target, include: pick('nothing', 'latest', 'tags'), limit }),
  kind(2, 'list by tag', { ...target, tag: pick('production', 'canary'), limit }),
  kind(1, 'tags', target),
  kind(2, 'versions', { ...target, limit }),
  kind(6, 'delete', { ...target, content }),
  kind(3, 'delete many', { ...target, contents }),
  kind(1, 'have', { ...target, contents }),
  kind(1, 'archive', { ...target, contents, by: pick('call', 'link') }),
  kind(2, 'read tag', { ...target, tag }),
  kind(5, 'move tag', { ...target, tag, content, condition: fc.oneof(condition, pick('new')) }),
  kind(3, 'remove tag', { ...target, tag, condition }),
  kind(5, 'ask for a ticket', { ...target, content, contentType, sends: pick(true, true, true, false) }),
  kind(5, 'complete', { ticket: fc.nat(2), replica }),
  kind(1, 'download', { ...target, content }),
  kind(1, 'download many', { ...target, contents }),
  kind(1, 'retain', { tenant: pick(...tenants), keepNewest: pick(1, 2) }),
  kind(1, 'sweep', {}),
) as fc.Arbitrary<Operation>

/**
 * Sequences of up to 30 operations. Most stay on one document, because two operations on the same one find more than
 * twenty on many.
 */
export const sequences: fc.Arbitrary<Sequence> = fc.record({
  contents: fc.array(fc.record({ size, seed: fc.integer({ min: 1, max: 1000 }) }), {
    minLength: contentsPerSequence,
    maxLength: contentsPerSequence,
  }),
  operations: fc.oneof(
    { weight: 1, arbitrary: fc.array(operation, { minLength: 1, maxLength: 30, size: 'max' }) },
    {
      weight: 2,
      arbitrary: fc
        .array(operation, { minLength: 1, maxLength: 30, size: 'max' })
        .map((operations) => operations.map(onOneDocument)),
    },
  ),
})

function onOneDocument(operation: Operation): Operation {
  if (!('tenant' in operation)) return operation
  return { ...operation, tenant: 'acme', ...('name' in operation ? { name: 'orders' } : {}) } as Operation
}
