import { startRgwProject } from '../stores/rgw.ts'
import type { StoreForTests } from '../stores/service-key.ts'
import { chosenStore } from '../stores/store.ts'
import { type OpenStore, startOpenStore } from '../stores/store-contents.ts'
import type { Outage } from './faults.ts'

/** A store for one file of tests, whose outages end with all that was stored before. */
export interface FallibleStore {
  store: StoreForTests
  outages: Outage[]
  stop(): Promise<void>
}

/** Starts the store of this run for this caller alone. @throws {Error} if it is neither MinIO nor Ceph RGW */
export async function startFallibleStore(): Promise<FallibleStore> {
  switch (chosenStore()) {
    case 'minio':
      return fallibleMinio(await startOpenStore())
    case 'ceph-rgw':
      return fallibleRgw()
    default:
      throw new Error(`no way to bring ${chosenStore()} down and up again`)
  }
}

function fallibleMinio(first: OpenStore): FallibleStore {
  let running = first
  return {
    store: first,
    outages: [
      {
        name: 'store killed',
        begin: () => running.kill(),
        async end() {
          running = await running.restarted()
        },
      },
      freezing(() => running),
    ],
    stop: () => running.stop(),
  }
}

/** Its gateway alone is frozen and killed: the rest of a cluster takes too long to come back. */
async function fallibleRgw(): Promise<FallibleStore> {
  const store = await startRgwProject()
  return {
    store,
    outages: [
      { name: 'store killed', begin: () => store.killGateway(), end: () => store.startGatewayAgain() },
      freezing(() => store),
    ],
    stop: () => store.stop(),
  }
}

function freezing(running: () => { pause(): void; resume(): void }): Outage {
  return {
    name: 'store frozen',
    begin: async () => running().pause(),
    end: async () => running().resume(),
  }
}
