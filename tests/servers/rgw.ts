import { type RgwOptions, type RunningRgw, startRgw } from '../../compose/servers/ceph-rgw.ts'
import { withProgress } from '../../compose/servers/progress.ts'
import { registerSecret } from './secrets.ts'

let shared: Promise<RunningRgw> | undefined

/**
 * The Ceph RGW that tests of this process share, started on the first call (and installed first if need be, so
 * give `beforeAll` time). Tests must not pause or stop it, and keep apart by buckets of their own (`freshBucket`).
 *
 * @throws {ServerBuildError} if Ceph is missing and cannot be installed; with the line to type.
 */
export function rgwForTests(): Promise<RunningRgw> {
  shared ??= startPrivateRgw()
  return shared
}

/** Stops what {@link rgwForTests} started in this process, if it did; `preload.ts` calls it at the end. */
export async function stopRgwForTests(): Promise<void> {
  const rgw = await shared?.catch(() => undefined)
  await rgw?.stop()
}

/** An RGW for this caller alone, which may pause, kill and must `stop` it. Its key is a registered secret. */
export async function startPrivateRgw(options: RgwOptions = {}): Promise<RunningRgw> {
  const rgw = await withProgress('starting ceph rgw', (onProgress) => startRgw({ onProgress, ...options }))
  registerSecret(rgw.secretAccessKey)
  return rgw
}
