import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { capabilitiesOf, probeStore } from '../../service/object-store/probe.ts'
import type { StoreCapabilities } from '../../service/object-store/store-capabilities.ts'
import { freshBucket } from './bucket.ts'

/** What the service's own probe finds on this store, in a bucket of its own: some seconds. */
export async function probedCapabilities(store: StoreConnection): Promise<StoreCapabilities> {
  const connection = { ...store, bucket: await freshBucket(store), connectionsMax: 8 }
  const { findings } = await probeStore(connection, 'docs/', { securityOnly: true })
  return capabilitiesOf(findings)
}
