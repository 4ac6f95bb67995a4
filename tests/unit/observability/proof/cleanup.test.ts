import { describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../../compose/servers/free-port.ts'
import { randomCredentials } from '../../../../compose/servers/running-store.ts'
import { removeOwn } from '../../../../observability/proof/checks/store-checks.ts'
import type { Deployment, Launch, RunningServer } from '../../../../observability/proof/deployment.ts'
import { evidenceIn } from '../../../../observability/proof/evidence.ts'
import { newMarker } from '../../../../observability/proof/marker.ts'
import { newScene, prefixesOfProof } from '../../../../observability/proof/scene.ts'
import { recordedDeployment } from '../../../../observability/proof/servers/recorded-deployment.ts'
import { putCanary } from '../../../../observability/proof/store/canary.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../../../service/object-store/s3/s3-object-store.ts'
import { folderForTests } from '../../../support/folder.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const folder = await folderForTests('validate-cleanup-')

const place = { bucket: 'acme-loki', prefix: 'loki/' }

/** Returns the scene of a proof of Loki. */
function sceneOn(objects: ObjectStore) {
  const parts = { server: 'loki', place, objects, marker: newMarker(), neighbours: [] } as const
  const signal = new AbortController().signal
  const scene = newScene({
    ...parts,
    signal,
    evidence: evidenceIn(folder),
    ownPrefixes: prefixesOfProof(place),
  })
  return scene
}

describe('the end of a proof', () => {
  it('removes what lies below its prefixes and the canary, and nothing else', async () => {
    const objects = createMemoryObjectStore()
    const canary = await putCanary(objects, 'validate-canary-1-loki/')
    for (const key of ['loki/fake/1', 'loki-outage/fake/1', 'others/report.txt']) {
      await objects.put(key, Uint8Array.of(1), { size: 1, contentType: 'text/plain' })
    }
    expect(await removeOwn(sceneOn(objects), canary)).toEqual([])
    const { objects: kept } = await objects.list({ prefix: '', limit: 10 })
    expect(kept.map(({ key }) => key)).toEqual(['others/report.txt'])
  })

  it('names the prefixes that it could not list if the store has gone away, and continues', async () => {
    const objects = createS3ObjectStore({
      ...randomCredentials(),
      endpoint: `http://127.0.0.1:${await freePort()}`,
      region: 'us-east-1',
      forcePathStyle: true,
      bucket: place.bucket,
      connectionsMax: 4,
    })
    const canary = { key: 'validate-canary-1-loki/keep', etag: null, bytes: new Uint8Array() }
    const left = await removeOwn(sceneOn(objects), canary)
    objects.close()
    const sides = ['wrong-secret', 'wrong-bucket', 'elsewhere', 'outage', 'upkeep']
    expect(left).toEqual(['loki/…', ...sides.map((use) => `loki-${use}/…`)])
  })

  it('ends the servers even if the evidence cannot be kept', async () => {
    await writeFile(join(folder, 'no-folder'), '')
    let isClosed = false
    const server = { log: async () => 'what it printed' } as RunningServer
    const running = {
      kind: 'native',
      start: async () => server,
      close: async () => {
        isClosed = true
      },
    } as unknown as Deployment
    const recorded = recordedDeployment(running, evidenceIn(join(folder, 'no-folder')))
    await recorded.start({ server: 'loki', name: 'loki-main' } as Launch)
    await expect(recorded.close()).rejects.toThrow('ENOTDIR')
    expect(isClosed).toBeTrue()
  })
})
