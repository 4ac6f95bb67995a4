import type { Environment } from '../../config/parse.ts'
import { readLocalStarts } from '../local-issuer/starts.ts'
import { isOrigin } from '../values.ts'

export interface DoctorEnvironment {
  /** The variables to read the configuration from. */
  environment: Environment
  /** Which start it belongs to, where no variable names a store. */
  remark: string | null
  /** The origin of the Control UI that uses the store, as far as it is known. */
  uiOrigin?: string
}

/**
 * Returns the caller's own variables; without any `S3_*` those of the one running `start`, which names its secrets as
 * files that only its owner can read.
 *
 * @param folder `.local/` of the checkout.
 */
export async function doctorEnvironment(env: Environment, folder: string): Promise<DoctorEnvironment> {
  const named = Object.keys(env).some((name) => name.startsWith('S3_'))
  if (named) return { environment: env, remark: null, ...uiOriginOf(env.PUBLIC_URL) }
  const starts = [...(await readLocalStarts(folder))].filter(([, start]) => start.store !== undefined)
  const [one] = starts
  if (one === undefined || starts.length > 1) return { environment: env, remark: whyNone(starts.length) }
  const [port, start] = one
  return {
    environment: { ...env, ...start.store },
    remark: `the store of the start on port ${port}`,
    uiOrigin: start.url,
  }
}

/** The service checks `PUBLIC_URL`; here only its origin is used. */
function uiOriginOf(url = ''): { uiOrigin?: string } {
  return isOrigin(url) ? { uiOrigin: url } : {}
}

function whyNone(running: number): string {
  return running === 0
    ? 'no S3_* variable is set, and no start runs here with a store of its own'
    : `no S3_* variable is set, and ${running} starts run here: set the S3_* variables of one store`
}
