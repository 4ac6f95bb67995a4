import { isDeepStrictEqual } from 'node:util'
import type { Digest } from '../../service/wire/names.ts'
import { keyOf } from '../support/service/sample-documents.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { type Answer, legalAnswers } from './expected-answers.ts'
import { names, type Operation, type OperationOf, type Sequence, tags, tenants } from './operations.ts'
import { type Performer, performerOf, type Replicas } from './service-answers.ts'
import { newWorld, type World } from './world.ts'

/** The first difference between the service and the model. */
export class Difference extends Error {
  /** The operations up to the one that was answered differently, or all if only their end differs. */
  readonly operations: readonly Operation[]

  constructor(operations: readonly Operation[], { message }: Error) {
    super(message)
    this.operations = operations
  }
}

/**
 * Performs a sequence on the service and on the model, one operation after the other, and compares each answer; then
 * everything that can be read, and what is in the bucket.
 *
 * @param type no other sequence may have used it.
 * @throws {Difference} at the first one.
 */
export async function runSequence(
  replicas: Replicas,
  type: string,
  { contents, operations }: Sequence,
): Promise<void> {
  const world = newWorld(type, contents)
  const performer = performerOf(replicas, world)
  const performed: Operation[] = []
  try {
    for (const operation of operations) {
      performed.push(operation)
      await compare(world, performer, operation, 'the last one')
      if (operation.do === 'retain') await learnWhatIsLeft(replicas, world, operation)
    }
    for (const operation of readingEverything(world, operations))
      await compare(world, performer, operation, 'at the end')
    await compareBucket(replicas, world)
  } catch (error) {
    throw new Difference(performed, error as Error)
  } finally {
    await removeLeftovers(replicas)
  }
}

/**
 * Removes what must not be taken for what the next sequence leaves, and what would make it slower: its sweep looks at every
 * deletion of the last hour. No request is under way any more.
 */
async function removeLeftovers({ store }: Replicas): Promise<void> {
  for (const prefix of ['deletions/', ...tenants.map((tenant) => `staging/${tenant}/`)])
    for (const key of await keysOf(store, prefix)) await store.delete(key)
}

async function compare(
  world: World,
  performer: Performer,
  operation: Operation,
  when: string,
): Promise<void> {
  const legal = legalAnswers(world, operation)
  const answer = await performer.answerOf(operation)
  const found = legal.find((each) => isDeepStrictEqual(each.answer, answer))
  if (!found) throw new Error(differenceText(when, { operation, answer, legal: legal.map((l) => l.answer) }))
  found.effect?.()
}

function differenceText(
  when: string,
  { operation, answer, legal }: { operation: Operation; answer: Answer; legal: Answer[] },
): string {
  const expected = legal.map((each) => JSON.stringify(each)).join('\nor       ')
  return `${when}: ${JSON.stringify(operation)}\nanswered ${JSON.stringify(answer)}\nexpected ${expected}`
}

/**
 * Which versions are old enough depends on the seconds in which they were stored. So the model learns what is gone, after
 * checking that it may be: enough versions are left, and (by the model) no tag points to it.
 */
async function learnWhatIsLeft(
  { store }: Replicas,
  world: World,
  { tenant, keepNewest }: OperationOf<'retain'>,
): Promise<void> {
  for (const name of names) {
    const document = world.document({ tenant, name })
    const before = document.digests()
    const heads = before.map((digest) => store.head(keyOf(world.type, name, digest as Digest, tenant)))
    const infos = await Promise.all(heads)
    const gone = before.filter((_, index) => infos[index] === null)
    const left = before.length - gone.length
    if (left < Math.min(keepNewest, before.length))
      throw new Error(`retain left ${left} versions of ${name} in ${tenant}, and should keep ${keepNewest}`)
    for (const digest of gone) world.apply({ tenant, name }, { kind: 'retain', digest })
  }
}

/**
 * Returns the operations that read all that a sequence may have made, in all ways; of documents that it did not touch, they
 * see that there are none.
 */
function readingEverything({ digests, tickets }: World, operations: readonly Operation[]): Operation[] {
  const touched = [...operations, ...tickets.map(({ at }) => at)]
  return tenants.flatMap((tenant, index) => {
    const replica = index % 2 === 0 ? 0 : 1
    const touchedNames = names.filter((name) =>
      touched.some((each) => 'name' in each && each.tenant === tenant && each.name === name),
    )
    const everywhere = { tenant, name: 'orders', replica } as const
    const ofTenant: Operation[] = [
      { ...everywhere, do: 'list', by: 'type', limit: 1000 },
      { ...everywhere, do: 'list names', include: 'tags', limit: 100 },
      { ...everywhere, do: 'list by tag', tag: 'production', limit: 100 },
      { ...everywhere, do: 'list by tag', tag: 'canary', limit: 100 },
    ]
    const ofDocuments = touchedNames.flatMap((name): Operation[] => {
      const at = { tenant, name, replica } as const
      const get = { ...at, do: 'get', range: null, has: false } as const
      return [
        { ...at, do: 'versions', limit: 50 },
        ...tags.map((tag): Operation => ({ ...at, do: 'read tag', tag })),
        { ...get, of: { tag: 'latest' } },
        ...digests.map((_, content): Operation => ({ ...get, of: { content } })),
      ]
    })
    return [...ofTenant, ...ofDocuments]
  })
}

/** Compares the keys of versions with those of the model, and staging with the tickets that are still open. */
async function compareBucket({ store }: Replicas, world: World): Promise<void> {
  for (const tenant of tenants) {
    const found = await keysOf(store, `tenants/${tenant}/documents/${world.type}/`)
    const expected = names.flatMap((name) =>
      world
        .document({ tenant, name })
        .digests()
        .map((digest) => keyOf(world.type, name, digest as Digest, tenant)),
    )
    if (!isDeepStrictEqual(found.toSorted(), expected.toSorted()))
      throw new Error(`the bucket holds ${found.join(', ')}\nexpected ${expected.join(', ')}`)
  }
  const open = world.tickets.filter(({ staged }) => staged)
  const expected = open.map(({ at, ticket }) => `staging/${at.tenant}/${ticket.id}`).sort()
  const staged = await stagedIn({ store })
  if (!isDeepStrictEqual(staged, expected))
    throw new Error(`staging holds ${staged.join(', ')}\nexpected ${expected.join(', ')}`)
}

/** Returns the keys of uploads in staging, ascending; leases of completions stay there on purpose. */
async function stagedIn({ store }: Pick<Replicas, 'store'>): Promise<string[]> {
  const keys = await keysOf(store, 'staging/')
  return keys.filter((key) => !key.startsWith('staging/_') && !key.endsWith('.lease')).sort()
}
