import { beforeAll, describe, expect, it } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { put } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, MiB, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'

const { service, call } = await ownService()

/** Returns the calls to the store that a request has caused, after reading its answer to the end. */
async function callsOf(request: () => Promise<Response>): Promise<string[]> {
  service.storeCalls.length = 0
  const response = await request()
  await response.arrayBuffer()
  expect(response.ok).toBe(true)
  return [...service.storeCalls]
}

const upload = (name: string, body: string) => callsOf(() => call(`bundles/${name}`, { method: 'PUT', body }))
const moveTag = (name: string, tag: string, digest: string, headers: Record<string, string> = {}) => {
  const { body, headers: json } = jsonBody({ digest })
  return call(`bundles/${name}/tags/${tag}`, { method: 'PUT', body, headers: { ...json, ...headers } })
}

describe('the calls to the store that an upload costs', () => {
  it('are two under a new name: the bytes, and the record of the document', async () => {
    expect(await upload('new', 'A')).toEqual(['put', 'put'])
  })

  it('are two under a name that this replica has written last, for new bytes and for known ones', async () => {
    await upload('known', 'A')
    const calls = await upload('known', 'B')
    expect(calls).toEqual(['put', 'put'])
    recordFigure('storeCalls', { name: 'of an upload', value: calls.length, unit: '' })
    expect(await upload('known', 'C')).toEqual(['put', 'put'])
  })

  it('are two for a large body that passes straight to its key', async () => {
    const body = randomDocument(2 * MiB)
    const headers = { 'repr-digest': reprDigestOf(body) }
    const send = () => call('bundles/streamed', { method: 'PUT', body, headers })
    expect(await callsOf(send)).toEqual(['put', 'put'])
  })
})

describe('the calls to the store that an upload with a condition costs', () => {
  const send = (body: string, headers: Record<string, string>) =>
    call('bundles/conditional', { method: 'PUT', body, headers })

  it('are one more, for the record, and that one alone where the condition does not hold', async () => {
    const first = { 'if-none-match': '*' }
    expect(await callsOf(() => send('A', first))).toEqual(['getWhole', 'put', 'put'])
    const over = { 'if-match': `"${digestOf('A')}"` }
    expect(await callsOf(() => send('B', over))).toEqual(['getWhole', 'put', 'put'])
    service.storeCalls.length = 0
    expect((await send('C', first)).status).toBe(412)
    expect(service.storeCalls).toEqual(['getWhole'])
  })
})

describe('the calls to the store that a document with twenty tags costs', () => {
  const name = 'tagged'

  beforeAll(async () => {
    await put(call, `bundles/${name}`, 'A')
    for (let tag = 0; tag < 20; tag += 1) await moveTag(name, `v${tag}`, digestOf('A'))
  })

  it('are one to read a tag', async () => {
    expect(await callsOf(() => call(`bundles/${name}/tags/v7`))).toEqual(['getWhole'])
  })

  it('are two to read the bytes that a tag points to, in either way', async () => {
    expect(await callsOf(() => call(`bundles/${name}?tag=v7`))).toEqual(['getWhole', 'getWhole'])
    expect(await callsOf(() => call(`bundles/${name}?tag=v7`, { method: 'HEAD' }))).toEqual([
      'head',
      'getWhole',
    ])
  })

  it('are at most three to move a tag, with a condition and without', async () => {
    const without = await callsOf(() => moveTag(name, 'v7', digestOf('A')))
    expect(without.length).toBeLessThanOrEqual(3)
    const condition = { 'if-match': '*' }
    const conditional = await callsOf(() => moveTag(name, 'v7', digestOf('A'), condition))
    expect(conditional.length).toBeLessThanOrEqual(3)
  })

  it('are one for all of its tags: the versions of the page cost one each, and their list one', async () => {
    const calls = await callsOf(() => call(`bundles/${name}/versions`))
    expect(calls.toSorted()).toEqual(['getWhole', 'head', 'list'])
  })

  it('are one for a page of the list of documents', async () => {
    expect(await callsOf(() => call('?type=bundles&limit=1'))).toEqual(['list'])
  })
})

describe('the calls to the store that many versions at once cost', () => {
  const versions = ['A', 'B', 'C'].map((body) => ({ type: 'bundles', name: 'many', digest: digestOf(body) }))
  const asking = (path: string) =>
    callsOf(() => call(path, { method: 'POST', ...jsonBody({ documents: [...versions] }) }))

  beforeAll(async () => {
    for (const body of ['A', 'B', 'C']) await put(call, 'bundles/many', body)
  })

  it('are one for each of them to say which are there, however often it is named', async () => {
    expect(await asking('have')).toEqual(['head', 'head', 'head'])
    const twice = jsonBody({ documents: [...versions, ...versions] })
    expect(await callsOf(() => call('have', { method: 'POST', ...twice }))).toHaveLength(3)
  })

  it('are two for each of them to send an archive: one to know its size, and one to read it', async () => {
    expect(await asking('archive')).toEqual([...Array(3).fill('head'), ...Array(3).fill('getWhole')])
  })

  it('are one for each of them to sign their URLs', async () => {
    expect(await asking('downloads')).toEqual(['head', 'head', 'head'])
  })

  it('are those of a DELETE for each of them to delete them', async () => {
    await put(call, 'bundles/one', 'A')
    await put(call, 'bundles/one', 'B')
    const path = `bundles/one/versions/${digestOf('A')}`
    const ofOne = await callsOf(() => call(path, { method: 'DELETE' }))
    // "latest" is C, and is deleted last: only then its successor is looked for, in a listing.
    const calls = await asking('delete')
    expect(calls.filter((name) => name !== 'list').toSorted()).toEqual(
      [...ofOne, ...ofOne, ...ofOne].toSorted(),
    )
  })
})
