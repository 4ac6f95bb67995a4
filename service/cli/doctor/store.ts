import type { Environment } from '../../config/source.ts'
import { readLocalStarts } from '../local-issuer/local-state.ts'

export interface DoctorEnvironment {
  /** The variables to read the configuration from. */
  environment: Environment
  /** Whose store it is, where nobody named one. */
  remark: string | null
  /** Where the Control UI of that store comes from, as far as that is known. */
  uiOrigin?: string
}

/**
 * The caller's own variables; without `S3_ENDPOINT` and any other `S3_*` those of the one running `start`, which
 * names its secrets as files that only its owner can read.
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

/** The service takes `PUBLIC_URL` in no other form; here nothing is checked but what is used. */
function uiOriginOf(url = ''): { uiOrigin?: string } {
  return isOrigin(url) ? { uiOrigin: url } : {}
}

/** Scheme, host and port, and nothing else. */
export function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text
}

function whyNone(running: number): string {
  return running === 0
    ? 'no S3_* variable is set, and no start runs here with a store of its own'
    : `no S3_* variable is set, and ${running} starts run here: set the S3_* variables of one store`
}
