import { expect, it } from 'bun:test'
import { contentOf, newHistory } from '../../../../support/histories/document-history.ts'
import { historyClient } from '../../../../support/histories/history-client.ts'
import type { Caller } from '../../../../support/service/caller.ts'
import { relayTo } from '../../../../support/stores/tcp-relay.ts'

it('sends a request once over a connection that breaks, and writes down that its outcome is unknown', async () => {
  using server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('{}') })
  const relay = relayTo(Number(server.port))
  try {
    const url = `http://127.0.0.1:${relay.port}/`
    const call: Caller = (_path, init) => fetch(url, init)
    // The connection of this request stays open for the next ones.
    await (await fetch(url)).text()
    relay.lose(1, /^PUT /)
    const content = contentOf(1024, 'text/plain')
    const history = newHistory('type/name', [content])
    await historyClient(history, call, 'client').upload(content, 'whole', 'absent')
    expect(relay.requests.map((line) => line.split(' ')[0])).toEqual(['GET', 'PUT'])
    expect(history.entries).toMatchObject([{ operation: { kind: 'upload' }, result: null, end: Infinity }])
  } finally {
    relay.stop()
  }
})
