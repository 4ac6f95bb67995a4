import { type RgwOptions, type RunningRgw, startRgw } from '../../../compose/servers/ceph-rgw.ts'
import { makeRgwProject } from '../../../compose/servers/ceph-rgw-project.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { registerSecret } from '../secrets.ts'
import type { StoreForTests } from './service-key.ts'

/**
 * An RGW for this caller alone, which may pause, kill and must `stop` it. Its key is a registered secret. Tests
 * that share one ask `storeForTests('ceph-rgw')`.
 *
 * @throws {ServerBuildError} if Ceph is missing and cannot be installed; with the line to type.
 */
export async function startPrivateRgw(options: RgwOptions = {}): Promise<RunningRgw> {
  const rgw = await withProgress('starting ceph rgw', (onProgress) => startRgw({ onProgress, ...options }))
  registerSecret(rgw.secretAccessKey)
  return rgw
}

/**
 * The same with a project as Hetzner has them: its keys are the owner's of the buckets, and the service's. Buckets of
 * `freshBucket` narrow the latter by their policy.
 */
export async function startRgwProject(options: RgwOptions = {}): Promise<RunningRgw & StoreForTests> {
  const rgw = await startPrivateRgw(options)
  try {
    const [owner, service] = await makeRgwProject(rgw, 2)
    if (!owner || !service) throw new Error('the project has no keys')
    for (const { secretAccessKey } of [owner, service]) registerSecret(secretAccessKey)
    const { accessKeyId, secretAccessKey } = owner
    const principals = { owner: owner.principal, service: service.principal }
    return { ...rgw, accessKeyId, secretAccessKey, serviceKey: { ...service, principals } }
  } catch (error) {
    await rgw.stop()
    throw error
  }
}
