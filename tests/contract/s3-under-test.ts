import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { knownVerdicts } from '../support/stores/store-findings.ts'
import type { StoreUnderTest } from './store-under-test.ts'

/** What the port leaves open to a store, as it was measured. */
const openTo = {
  minio: {
    verifiesSha256: true,
    listsUnfinishedByPrefix: false,
    listsBelowKeys: false,
    ordersByBytes: true,
    racers: 32,
    knowsAbortedUploads: true,
    honoursCopyConditions: true,
  },
  seaweedfs: {
    verifiesSha256: false,
    listsUnfinishedByPrefix: true,
    listsBelowKeys: true,
    ordersByBytes: false,
    racers: 8,
    knowsAbortedUploads: true,
    honoursCopyConditions: true,
  },
  'ceph-rgw': {
    verifiesSha256: true,
    listsUnfinishedByPrefix: true,
    listsBelowKeys: true,
    ordersByBytes: true,
    racers: 32,
    knowsAbortedUploads: false,
    honoursCopyConditions: false,
  },
}

/** Creates the S3 adapter on a bucket of its own, with connections for all racers of the contract at once. */
export async function s3UnderTest(connection: StoreConnection): Promise<StoreUnderTest> {
  const bucket = await freshBucket(connection)
  const store = createS3ObjectStore({ ...connection, bucket, connectionsMax: 40 })
  const copiesOnce = knownVerdicts(connection.kind)['copy-once'] === 'yes'
  return {
    ...openTo[connection.kind],
    copiesOnce,
    // Elsewhere the service does not ask for it.
    keepsKeysFree: copiesOnce,
    store,
    close: async () => store.close(),
  }
}
