import { digestOf } from '../support/service/sample-documents.ts'
import { serviceInChild } from '../support/service/service-for-tests.ts'
import type { Comparison } from './comparison.ts'
import type { Stage } from './stage.ts'
import { requestsOf } from './wrk.ts'

const connections = 16

/**
 * The same load on one replica, and divided between two. A replica is one process and uses one core; what a second one adds
 * here is what the load and the store leave of the machine.
 */
export async function compareReplicas(stage: Stage): Promise<Comparison> {
  const bytes = new TextEncoder().encode('replicas'.repeat(512))
  const document = '/v1/tenants/acme/documents/bench/replicas'
  await stage.upload(document, bytes)
  const second = await serviceInChild({ replicaOf: stage.service })
  const load = {
    method: 'GET',
    paths: [`${document}/versions/${digestOf(bytes)}`],
    token: stage.token,
  } as const
  const on = (origin: string, share: number, seconds: number) =>
    requestsOf({ ...load, origin, connections: connections / share, seconds }, stage.folder)
  return {
    operation: 'replicas',
    title: `GET 4 KiB, ${connections} connections`,
    unit: 'requests',
    sides: [
      { title: 'one replica', run: (seconds) => on(stage.service.url, 1, seconds) },
      {
        title: 'two replicas',
        async run(seconds) {
          const [one, other] = await Promise.all(
            [stage.service.url, second.url].map((origin) => on(origin, 2, seconds)),
          )
          if (!one || !other) throw new Error('two replicas were to be asked')
          return { amount: one.amount + other.amount, seconds: Math.max(one.seconds, other.seconds) }
        },
      },
    ],
    targets: [],
    close: second.stop,
  }
}
