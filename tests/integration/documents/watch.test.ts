import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { createDocumentsClient } from '../../../service/client/client.ts'
import type { Tag } from '../../../service/wire/answers.ts'
import { bytesOf, rejection } from '../../support/client/client-service.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'
import { serviceInProcess } from '../../support/service/service-for-tests.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const { service } = await ownService()
const ref = { type: 'bundles', name: 'app' }
const clientOf = (url: string) => createDocumentsClient({ url, tenant: 'acme', token: () => service.token() })
const acme = clientOf(service.url)
for (const content of ['A', 'B', 'C']) await acme.put(ref, bytesOf(content))

const move = (tag: string, content: string) => acme.putTag(ref, tag, digestOf(bytesOf(content)))

/** Follows a tag; what it has seen so far, and how to stop it. */
function following(url: string, tag: string, etag?: string) {
  const seen: (Tag | null)[] = []
  const troubles: unknown[] = []
  const stopped = new AbortController()
  const onTrouble = (error: unknown) => troubles.push(error)
  const ended = (async () => {
    for await (const moved of clientOf(url).watchTag(ref, tag, { etag, onTrouble, signal: stopped.signal }))
      seen.push(moved)
  })()
  const stop = async () => {
    stopped.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
  }
  return { seen, troubles, stop, contents: () => seen.map((each) => each?.digest ?? null) }
}

const digestsOf = (...contents: (string | null)[]) =>
  contents.map((content) => (content === null ? null : digestOf(bytesOf(content))))

describe('following a tag', () => {
  it('shows it as it is, each move, its removal, and its return', async () => {
    await move('followed', 'A')
    const { contents, seen, stop } = following(service.url, 'followed')
    await until(() => seen.length === 1)
    await move('followed', 'B')
    await until(() => seen.length === 2)
    await acme.deleteTag(ref, 'followed')
    await until(() => seen.length === 3)
    await move('followed', 'C')
    await until(() => seen.length === 4)
    expect(contents()).toEqual(digestsOf('A', 'B', null, 'C'))
    await stop()
  })

  it('continues after the move that the caller has seen, and waits for a tag that is not there yet', async () => {
    const { tag } = await move('continued', 'A')
    const known = following(service.url, 'continued', tag.etag)
    const absent = following(service.url, 'not-yet')
    await Bun.sleep(1500)
    expect([known.seen, absent.seen]).toEqual([[], []])
    await move('continued', 'B')
    await move('not-yet', 'A')
    await until(() => known.seen.length + absent.seen.length === 2)
    expect([known.contents(), absent.contents()]).toEqual([digestsOf('B'), digestsOf('A')])
    await known.stop()
    await absent.stop()
  })

  it('continues over a restart of its replica, and misses no last move', async () => {
    await move('restarted', 'A')
    const first = await serviceInProcess({ replicaOf: service })
    const port = Number(new URL(first.url).port)
    const { contents, seen, troubles, stop } = following(first.url, 'restarted')
    await until(() => seen.length === 1)
    await first.stop()
    await move('restarted', 'B')
    await until(() => troubles.length > 0)
    await move('restarted', 'C')
    await ownService({ replicaOf: service, port })
    await until(() => seen.length === 2)
    expect(contents()).toEqual(digestsOf('A', 'C'))
    await stop()
  })

  it('never shows an older move after a newer one, asked of replicas in turn while the tag moves', async () => {
    const replica = (await ownService({ replicaOf: service })).service
    const followers = [service.url, replica.url].map((url) => following(url, 'racing'))
    const etags: string[] = []
    for (let moves = 0; moves < 30; moves += 1) {
      etags.push((await move('racing', 'ABC'[moves % 3] ?? 'A')).tag.etag)
      await Bun.sleep(moves % 5 ? 50 : 600)
    }
    await until(() => followers.every(({ seen }) => seen.at(-1)?.etag === etags.at(-1)))
    for (const { seen, stop } of followers) {
      const order = seen.map((each) => etags.indexOf(each?.etag ?? ''))
      expect(order).toEqual(order.toSorted((one, other) => one - other))
      expect(new Set(order).size).toBe(order.length)
      await stop()
    }
  })

  it('ends with a refusal that another try would not change', async () => {
    const reader = createDocumentsClient({
      ...{ url: service.url, tenant: 'acme' },
      token: () => service.token({ scope: 'documents:write' }),
    })
    const first = reader.watchTag(ref, 'followed').next()
    expect(await rejection(first)).toMatchObject({ status: 403, code: 'scope_missing' })
  })
})
