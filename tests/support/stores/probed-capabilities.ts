import type { Finding } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, probeStore } from '../../../service/object-store/probe/probe.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { freshBucket } from './bucket.ts'
import { asService, type StoreForTests } from './service-key.ts'

/** What the service's own probe finds on this store that bears on safety, in a bucket of its own: some seconds. */
export async function probedFindings(store: StoreForTests): Promise<Finding[]> {
  const connection = { ...asService(store), bucket: await freshBucket(store), connectionsMax: 8 }
  return (await probeStore(connection, 'docs/', { securityOnly: true })).findings
}

/** What the service may rest on there. */
export async function probedCapabilities(store: StoreForTests): Promise<StoreCapabilities> {
  return capabilitiesOf(await probedFindings(store))
}
