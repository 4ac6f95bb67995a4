import { randomBytes } from 'node:crypto'
import type { RunningRgw } from '../../../compose/servers/ceph-rgw.ts'
import { type ServerName, serverNames } from '../../../observability/proof/deployment.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { applyBucket } from '../../../service/provisioning/apply.ts'
import { telemetryRights } from '../../../service/provisioning/service-rights.ts'
import { wantedBucket } from '../../../service/provisioning/wanted-bucket.ts'
import { registerSecret } from '../secrets.ts'
import { makeRgwProject, type ProjectKey } from '../stores/rgw-project.ts'

/** A bucket of Loki or Tempo in a project as Hetzner has them, and who may work in it. */
export interface TelemetryPlace {
  bucket: string
  /** Ends with a slash. */
  prefix: string
  /** Two: the one that is deployed first, and the one that takes over. Only the first is admitted. */
  keys: [ProjectKey, ProjectKey]
  /** Lets these keys alone work in it, as `bun run provision apply` does. */
  admit(keys: readonly ProjectKey[]): Promise<void>
  /** It, seen with the provisioning key. */
  objects: ObjectStore & { close(): void }
}

export type TelemetryPlaces = Record<ServerName, TelemetryPlace>

/** Provisions both, each narrowed to keys of its own. */
export async function provisionTelemetry(rgw: RunningRgw): Promise<TelemetryPlaces> {
  const [provisioner, ...keys] = await makeRgwProject(rgw, 1 + 2 * serverNames.length)
  if (provisioner === undefined) throw new Error('no keys')
  for (const { secretAccessKey } of [provisioner, ...keys]) registerSecret(secretAccessKey)
  const places = serverNames.map(async (server, nth) => {
    const [first, second] = keys.slice(2 * nth)
    if (first === undefined || second === undefined) throw new Error('no keys')
    const bucket = `${server}-${randomBytes(8).toString('hex')}`
    const place = { bucket, prefix: `${server}/` }
    const admit = async (users: readonly ProjectKey[]) => {
      const principals = {
        provisioners: [provisioner.principal],
        users: users.map(({ principal }) => principal),
      }
      const plain = { versioning: false, objectLock: null, oldVersionDays: 30, browserOrigins: [] }
      const settings = createBucketSettings({ ...rgw, ...provisioner })
      const wanted = wantedBucket({ ...plain, place, principals, rights: telemetryRights })
      const refused = (await applyBucket(settings, wanted)).find(({ done }) => !done)
      settings.close()
      if (refused !== undefined) throw new Error(`${bucket}: ${refused.why}`)
    }
    await admit([first])
    const objects = createS3ObjectStore({ ...rgw, ...provisioner, bucket, connectionsMax: 8 })
    const made: TelemetryPlace = { ...place, keys: [first, second], admit, objects }
    return [server, made] as const
  })
  return Object.fromEntries(await Promise.all(places)) as TelemetryPlaces
}
