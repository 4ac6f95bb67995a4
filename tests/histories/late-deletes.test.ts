import { expect, it, setDefaultTimeout } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { leftAfterSweep, settleDeletions } from '../support/histories/document-at-rest.ts'
import { startFallibleStore } from '../support/histories/fallible-store.ts'
import { type Replica, startReplicas } from '../support/histories/replicas.ts'
import { jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'

/** The expiry of a DELETE bounds when the store accepts it, and not when it acts: a store may stop in between. */

setDefaultTimeout(600_000)

const documents = 80
const { store, outages } = stoppedAfterTests(await startFallibleStore())
const replicas = stoppedAfterTests(await startReplicas(2, store))
const frozen = outages.find(({ name }) => name === 'store frozen') as (typeof outages)[number]
const names = Array.from({ length: documents }, (_, at) => `late/document-${at}`)
const [contested, kept] = ['contested', 'kept']
const version = `versions/${digestOf(contested)}`

function replicaOf(at: number): Replica {
  return replicas.all[at % 2] as Replica
}

it('brings no deletion about, after later uploads, that the store had accepted before it was stopped', async () => {
  for (const name of names) {
    await put(replicaOf(0).call, name, kept)
    await put(replicaOf(0).call, name, contested)
  }
  const deletions = names.map((name, at) => replicaOf(at).call(`${name}/${version}`, { method: 'DELETE' }))
  // The others are at all the places between the first call to the store and its last answer then.
  await Promise.any(deletions)
  await frozen.begin()
  await Bun.sleep((limits.deletionAcceptedSeconds + 5) * 1000)
  await frozen.end()
  const answers = await Promise.all(deletions)
  const unanswered = names.filter((_, at) => answers[at]?.status === 503)
  expect(new Set(answers.map(({ status }) => status)).difference(new Set([204, 503])).size).toBe(0)
  expect(unanswered.length).toBeGreaterThan(0)

  const uploads = await Promise.all(
    names.map((name, at) => replicaOf(at + 1).call(name, { method: 'PUT', body: contested })),
  )
  const acknowledged = names.filter((_, at) => uploads[at]?.ok)
  const refused = uploads.filter(({ ok }) => !ok)
  console.log(
    `${unanswered.length} of ${documents} deletions were not answered; ${acknowledged.length} uploads right after it were accepted`,
  )
  for (const answer of refused) {
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refusalOf(answer)).toBe('503 busy')
  }

  await settleDeletions(replicas.outside.store, names)
  expect(await gone(acknowledged)).toEqual([])
  for (const name of names) await put(replicaOf(1).call, name, contested)
  expect(await leftAfterSweep(replicas.outside.store)).toEqual([])
  expect(await gone(names)).toEqual([])
  for (const name of names) {
    const { digest } = await jsonOf(await replicaOf(0).call(`${name}/tags/latest`))
    expect(digest).toBe(digestOf(contested))
  }
})

/** Returns those of the documents whose contested version cannot be read. */
async function gone(of: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(of.map((name) => replicaOf(0).call(`${name}/${version}`)))
  const bodies = await Promise.all(answers.map((answer) => answer.text()))
  return of.filter((_, at) => bodies[at] !== contested)
}
