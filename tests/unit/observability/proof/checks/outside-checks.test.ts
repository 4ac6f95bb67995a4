import { describe, expect, it } from 'bun:test'
import { freePort } from '../../../../../compose/servers/free-port.ts'
import {
  blockHoldsTrace,
  type OutsideScene,
} from '../../../../../observability/proof/checks/outside-checks.ts'
import type { LandedBlock } from '../../../../../observability/proof/checks/tempo-landing.ts'
import { evidenceIn } from '../../../../../observability/proof/evidence.ts'
import { newMarker } from '../../../../../observability/proof/marker.ts'
import { newScene } from '../../../../../observability/proof/scene.ts'
import { flush, outcomeOf } from '../../../../../observability/proof/servers/ask.ts'
import { counted } from '../../../../support/stores/counted-object-store.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

describe('a block of a Tempo that is in use', () => {
  it('is read once, however often the proof asks whether it holds the trace', async () => {
    const calls: string[] = []
    const store = createMemoryObjectStore()
    const marker = newMarker()
    const scene: OutsideScene = {
      ...newScene({
        server: 'tempo',
        place: { bucket: 'acme-tempo', prefix: 'tempo/' },
        objects: counted(store, calls),
        marker,
        neighbours: [],
        ownPrefixes: ['tempo/'],
        evidence: evidenceIn('/nowhere'),
        signal: new AbortController().signal,
      }),
      url: 'http://127.0.0.1:1',
      otlpUrl: 'http://127.0.0.1:1',
    }
    const blockOf = async (name: string, traceId: string): Promise<LandedBlock> => {
      const folder = `tempo/single-tenant/${name}/`
      const named = { tenant: 'single-tenant', block: name, file: 'meta.json', folder }
      const data = new Uint8Array(Buffer.from(traceId, 'hex'))
      await store.put(`${folder}data.parquet`, data, { size: data.length, contentType: 'text/plain' })
      return { named, files: new Map([['data.parquet', data.length]]) }
    }
    const others = await blockOf('others', newMarker().traceId)
    const ours = await blockOf('ours', marker.traceId)
    const read = new Set<string>()
    for (let poll = 0; poll < 3; poll += 1) expect(await blockHoldsTrace(scene, others, read)).toBeFalse()
    expect(calls).toEqual(['get'])
    expect(await blockHoldsTrace(scene, ours, read)).toBeTrue()
  })
})

describe('a flush that is not answered in time', () => {
  it('is described, and does not end the proof', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    expect(await outcomeOf(flush({ url }))).toStartWith(`${url} does not answer /flush: `)
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response(null, { status: 204 }),
    })
    expect(await outcomeOf(flush({ url: server.url.origin }))).toBe('204')
    await server.stop()
  })
})
