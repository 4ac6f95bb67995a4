import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { RunningMinio } from '../../compose/servers/minio.ts'
import { makeServerTls } from '../../compose/servers/server-tls.ts'
import { merged } from '../../observability/config/yaml.ts'
import { plannedKey } from '../../observability/proof/checks/loki-landing.ts'
import type { Deployment, RunningServer } from '../../observability/proof/deployment.ts'
import { ownChecks } from '../../observability/proof/plan.ts'
import { listObjects } from '../../observability/proof/store/objects.ts'
import {
  changeBlock,
  changeChunk,
  onlyIn,
  without,
  withS3InCommon,
} from '../support/observability/broken-configurations.ts'
import { type BrokenCase, proveBroken } from '../support/observability/broken-proof.ts'
import { startPrivateStore, storeForTests } from '../support/stores/store.ts'

/**
 * The proof has to be able to fail: each test breaks one thing or two, and exactly the checks about them have to report
 * it. The tests run concurrently, since they mostly wait.
 */

// Time limits catch what hangs, and are far above what a busy machine needs.
const millisecondsMax = 20 * 60_000
setDefaultTimeout(millisecondsMax)

const store = await storeForTests('minio')

const prove = (broken: Omit<BrokenCase, 'store'>) => proveBroken({ store, ...broken })

describe('a fault in Loki', () => {
  it.concurrent('the proof of a Loki without a fault fails nowhere, with the other client and a nested prefix', async () => {
    const { failed, notRun, proved } = await prove({
      server: 'loki',
      variants: ['s3-classic'],
      prefix: 'of/acme/logs/',
      skips: [],
    })
    expect({ failed, notRun }).toEqual({ failed: [], notRun: [] })
    expect(proved).toContainValues(['loki.origin', 'loki.wrong-secret', 'loki.containment'])
  })

  it.concurrent('the proof of a Loki without a prefix fails at containment alone', async () => {
    const drop = without('storage_config', 'object_store', 'storage_prefix')
    const { failed, notRun, said } = await prove({
      server: 'loki',
      alter: onlyIn(['loki-main', 'loki-fresh'], drop),
    })
    expect({ failed, notRun }).toEqual({ failed: ['loki.containment'], notRun: [] })
    expect(said).toContain('outside: fake/')
  })

  it.concurrent('the proof of a Loki with common.storage.s3 fails at containment alone: its ruler writes outside', async () => {
    const { failed, notRun, said } = await prove({
      server: 'loki',
      variants: ['s3-classic'],
      alter: onlyIn(['loki-main', 'loki-fresh'], withS3InCommon),
    })
    expect({ failed, notRun }).toEqual({ failed: ['loki.containment'], notRun: [] })
    expect(said).toContain('outside: rules/fake/')
  })

  it.concurrent('the proof of a Loki that is killed after its flush fails at the index, and reads nothing back', async () => {
    const { failed, notRun } = await prove({ server: 'loki', killsWriter: true })
    expect(failed).toEqual(['loki.index'])
    expect(notRun).toEqual(['loki.read-back', 'loki.origin', 'loki.wrong-prefix'])
  })

  it.concurrent('the proof of a Loki fails at the object if its chunk was changed, and at the wrong prefix if a server with another prefix reads this one', async () => {
    const chunk = changeChunk()
    const { failed, notRun, said } = await prove({
      server: 'loki',
      // Restored before it is read: the test is not about queries.
      before: { 'loki.objects': chunk.change, 'loki.index': chunk.putRight },
      alter: onlyIn(['loki-wrong-prefix'], (config) =>
        merged(config, { storage_config: { object_store: { storage_prefix: 'loki' } } }),
      ),
    })
    expect({ failed, notRun }).toEqual({ failed: ['loki.objects', 'loki.wrong-prefix'], notRun: [] })
    expect(said).toContain('CRC32C of the')
    expect(said).toContain('should be out of reach')
  })

  it.concurrent('the proof of a Loki that reads from the disk it wrote to fails at the origin alone', async () => {
    const { failed, notRun } = await prove({ server: 'loki', warmDisk: true })
    expect({ failed, notRun }).toEqual({ failed: ['loki.origin'], notRun: [] })
  })

  it.concurrent('the proof fails at containment if an object has no known form of key, and at what lies outside if the canary was touched', async () => {
    const { failed, notRun, said } = await prove({
      server: 'loki',
      before: {
        'loki.containment': ({ put }) => put('loki/notes.txt'),
        async 'loki.untouched'({ objects, put }) {
          const [canary = ''] = (await listObjects(objects, 'validate-canary-')).keys()
          await put(canary)
        },
      },
    })
    expect({ failed, notRun }).toEqual({ failed: ['loki.containment', 'loki.untouched'], notRun: [] })
    expect(said).toContain('unknown: loki/notes.txt')
    expect(said).toContain('changed: validate-canary-')
  })

  it.concurrent('the proof fails at the wrong secret if a chunk has landed nevertheless, and at what lies outside if an object of others is gone', async () => {
    const planned = { prefix: 'loki-wrong-secret/', tenant: 'fake' }
    const { failed, notRun, said } = await prove({
      server: 'loki',
      skips: ['loki.wrong-bucket'],
      before: {
        'loki.wrong-secret': ({ marker, put }) => put(`${plannedKey({ ...planned, marker })}0`),
        'loki.preflight': ({ put }) => put('others/report.txt'),
        'loki.untouched': ({ objects }) => objects.delete('others/report.txt'),
      },
    })
    expect({ failed, notRun }).toEqual({ failed: ['loki.wrong-secret', 'loki.untouched'], notRun: [] })
    expect(said).toContain('nothing should have landed')
    expect(said).toContain('changed: others/report.txt')
  })

  it.concurrent('the proof of a Loki fails at the refusal if the secret is right that should be wrong', async () => {
    const { failed } = await prove({
      server: 'loki',
      skips: [],
      waits: { refusal: 10 },
      wrap: (deployment) => ({
        ...deployment,
        start: ({ credentials: _, ...launch }) => deployment.start(launch),
      }),
    })
    expect(failed).toEqual(['loki.wrong-secret'])
  })

  it.concurrent('the proof of a Loki fails at the outage if the store stays away', async () => {
    const { failed, said } = await prove({
      server: 'loki',
      part: 'all',
      // A Loki that reaches it again needs half of this.
      waits: { recovery: 45 },
      skips: ['loki.wrong-secret', 'loki.wrong-bucket', 'loki.retention', 'loki.delete'],
      wrap: neverRestored,
    })
    expect(failed).toEqual(['loki.outage'])
    expect(said).toContain('the lines are lost')
  })

  it.concurrent('the proof of a Loki fails at the retention if that is longer than the age of the line', async () => {
    const { failed, said } = await prove({
      server: 'loki',
      part: 'all',
      // Loki needs one of its rounds of a minute to remove the chunk.
      waits: { removal: 90 },
      skips: ['loki.wrong-secret', 'loki.wrong-bucket', 'loki.outage', 'loki.delete'],
      alter: onlyIn(['loki-upkeep'], (config) =>
        merged(config, { limits_config: { retention_period: '720h' } }),
      ),
    })
    expect(failed).toEqual(['loki.retention'])
    expect(said).toContain('the chunk of 48 h ago is there')
  })
})

describe('a fault in Tempo', () => {
  it.concurrent('the proof of a Tempo without a prefix fails at containment alone', async () => {
    const { failed, notRun, said } = await prove({
      server: 'tempo',
      alter: onlyIn(['tempo-main', 'tempo-fresh'], without('storage', 'trace', 's3', 'prefix')),
    })
    expect({ failed, notRun }).toEqual({ failed: ['tempo.containment'], notRun: [] })
    expect(said).toContain('outside: single-tenant/')
  })

  it.concurrent('the proof of a Tempo with query_backend_after at 15 minutes fails at the search alone', async () => {
    const search = { query_backend_after: '15m' }
    const { failed, notRun, said } = await prove({
      server: 'tempo',
      alter: (config) => merged(config, { query_frontend: { search } }),
    })
    expect({ failed, notRun }).toEqual({ failed: ['tempo.search'], notRun: [] })
    expect(said).toContain('finds nothing')
  })

  it.concurrent('the proof of a Tempo fails at the block if its meta.json was changed, and at the wrong prefix if a server with another prefix reads this one', async () => {
    const block = changeBlock()
    const { failed, notRun, said } = await prove({
      server: 'tempo',
      before: { 'tempo.objects': block.change, 'tempo.read-back': block.putRight },
      alter: onlyIn(['tempo-wrong-prefix'], (config) =>
        merged(config, { storage: { trace: { s3: { prefix: 'tempo' } } } }),
      ),
    })
    expect({ failed, notRun }).toEqual({ failed: ['tempo.objects', 'tempo.wrong-prefix'], notRun: [] })
    expect(said).toContain('meta.json counts 2 traces')
    expect(said).toContain('the trace lies below another prefix')
  })

  it.concurrent('the proof of a Tempo that reads from the disk it wrote to fails at the origin alone', async () => {
    const { failed, notRun } = await prove({ server: 'tempo', warmDisk: true })
    expect({ failed, notRun }).toEqual({ failed: ['tempo.origin'], notRun: [] })
  })

  it.concurrent('the proof of a Tempo that cannot start fails there, and proves nothing that depends on it', async () => {
    const { failed, notRun, proved } = await prove({
      server: 'tempo',
      alter: onlyIn(['tempo-main'], (config) => merged(config, { ingester: { no_such_setting: true } })),
    })
    expect(failed).toEqual(['tempo.start'])
    expect(proved).toEqual(['tempo.preflight', 'tempo.copy'])
    expect(notRun).toHaveLength(8)
  })

  it.concurrent('the proof of a Tempo fails at the refusal if the secret is right that should be wrong', async () => {
    const { failed } = await prove({
      server: 'tempo',
      skips: [],
      wrap: (deployment) => ({
        ...deployment,
        start: ({ credentials: _, ...launch }) => deployment.start(launch),
      }),
    })
    expect(failed).toEqual(['tempo.wrong-secret'])
  })

  it.concurrent('the proof of a Tempo fails at the outage if the store stays away', async () => {
    const { failed, said } = await prove({
      server: 'tempo',
      part: 'all',
      // A Tempo that reaches it again needs half a minute.
      waits: { recovery: 60 },
      skips: ['tempo.wrong-secret', 'tempo.wrong-bucket', 'tempo.retention'],
      wrap: neverRestored,
    })
    expect(failed).toEqual(['tempo.outage'])
    expect(said).toContain('the trace is lost')
  })

  it.concurrent('the proof of a Tempo fails at the retention if that is longer than the age of the trace', async () => {
    const compaction = { block_retention: '720h' }
    const { failed, said } = await prove({
      server: 'tempo',
      part: 'all',
      waits: { removal: 30 },
      skips: ['tempo.wrong-secret', 'tempo.wrong-bucket', 'tempo.outage'],
      alter: onlyIn(['tempo-upkeep'], (config) => merged(config, { compactor: { compaction } })),
    })
    expect(failed).toEqual(['tempo.retention'])
    expect(said).toContain('the block of 120 min ago is there')
  })
})

describe('a fault in the join of both', () => {
  it.concurrent('the join of a Loki and a Tempo fails alone if that Tempo is gone', async () => {
    let tempo: RunningServer | undefined
    const { failed, notRun } = await prove({
      server: 'both',
      before: { 'join.log-to-trace': () => tempo?.kill() ?? Promise.reject(new Error('it never ran')) },
      wrap: (deployment) => ({
        ...deployment,
        async start(launch) {
          const server = await deployment.start(launch)
          if (launch.name === 'tempo-fresh') tempo = server
          return server
        },
      }),
    })
    expect(failed).toContain('join.log-to-trace')
    expect(failed.filter((id) => !id.startsWith('join.'))).toEqual([])
    expect(notRun).toEqual([])
  })
})

describe('the route to a store with a host name, behind TLS', () => {
  it.concurrent('the route to a store with a host name can be cut and restored for both clients of Loki', async () => {
    const named = await startNamedStore()
    const only = {
      server: 'loki',
      part: 'all',
      store: named,
      skips: allBut('loki.preflight', 'loki.outage'),
    } as const
    const [thanos, classic] = await Promise.all([
      proveBroken({ ...only, variants: ['s3-thanos'] }),
      proveBroken({ ...only, variants: ['s3-classic'] }),
    ])
    await named.stop()
    expect(thanos).toMatchObject({ failed: [], proved: ['loki.preflight', 'loki.outage'] })
    expect(classic).toMatchObject({ failed: [], proved: ['loki.preflight', 'loki.outage'] })
  })

  it.concurrent('the route to a store with a host name can be cut and restored for Tempo', async () => {
    const named = await startNamedStore()
    const skips = allBut('tempo.preflight', 'tempo.outage')
    const result = await proveBroken({ server: 'tempo', part: 'all', store: named, skips })
    await named.stop()
    expect(result).toMatchObject({ failed: [], proved: ['tempo.preflight', 'tempo.outage'] })
  })
})

/** Starts a store whose name clients do not take for loopback, like that of a store elsewhere. */
async function startNamedStore(): Promise<RunningMinio> {
  // The name resolves to loopback, but Go does not know that (RFC 6761 section 6.3).
  const name = 'store.localhost'
  const named = await startPrivateStore({ tls: await makeServerTls([name]) })
  return { ...named, endpoint: named.endpoint.replace('127.0.0.1', name) }
}

function allBut(...ids: string[]): string[] {
  return [...ownChecks.loki, ...ownChecks.tempo].map(({ id }) => id).filter((id) => !ids.includes(id))
}

function neverRestored(deployment: Deployment): Deployment {
  return {
    ...deployment,
    async openRoute() {
      const route = await deployment.openRoute()
      return { ...route, restore: async () => {} }
    },
  }
}
