import type { Finding } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, probeStore } from '../../../service/object-store/probe/probe.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { freshBucket } from './bucket.ts'
import { asService, type StoreForTests } from './service-key.ts'

/** Runs the service's own probe of the security rows on this store, in a bucket of its own; takes some seconds. */
export async function probedFindings(store: StoreForTests): Promise<Finding[]> {
  const connection = { ...asService(store), bucket: await freshBucket(store), connectionsMax: 8 }
  return (await probeStore(connection, 'docs/', { securityOnly: true })).findings
}

/** Returns what the service may rely on there. */
export async function probedCapabilities(store: StoreForTests): Promise<StoreCapabilities> {
  return capabilitiesOf(await probedFindings(store))
}
