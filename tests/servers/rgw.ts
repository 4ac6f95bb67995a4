import { type RgwOptions, type RunningRgw, startRgw } from '../../compose/servers/ceph-rgw.ts'
import { withProgress } from '../../compose/servers/progress.ts'
import { registerSecret } from './secrets.ts'

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
