import { type RgwOptions, type RunningRgw, startRgw } from '../../../compose/servers/ceph-rgw.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { registerSecret } from '../secrets.ts'
import { makeRgwProject } from './rgw-project.ts'
import type { StoreForTests } from './service-key.ts'

/**
 * Starts an RGW for this caller alone, which may pause, kill and must `stop` it. Its key is a registered secret. Tests
 * that share one use `storeForTests('ceph-rgw')`.
 *
 * @throws {ServerBuildError} if Ceph is missing and cannot be installed; with the line to type.
 */
export async function startPrivateRgw(options: RgwOptions = {}): Promise<RunningRgw> {
  const rgw = await withProgress('starting ceph rgw', (onProgress) => startRgw({ onProgress, ...options }))
  registerSecret(rgw.secretAccessKey)
  return rgw
}

/**
 * Starts one with a project as in Hetzner Object Storage: its keys are those of the buckets' owner and of the service.
 * The policy of buckets of `freshBucket` narrows the latter.
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
