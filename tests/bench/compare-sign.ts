import { fileURLToPath } from 'node:url'
import { mustRun } from '../../compose/run-command.ts'
import type { Comparison } from './comparison.ts'

const program = fileURLToPath(new URL('sign-load.ts', import.meta.url))

/** Signing of one request to the store, in one thread, compared with the hashing that cannot be avoided. */
export function compareSign(): Comparison {
  const rate = (side: 'service' | 'hmac') => async (seconds: number) => {
    const printed = await mustRun([process.execPath, program], {
      env: { PATH: process.env.PATH ?? '', SIGN_PLAN: JSON.stringify({ side, seconds }) },
    })
    return Number(printed)
  }
  return {
    operation: 'sign',
    title: 'sign (compared with bare SHA-256 and HMAC)',
    unit: 'signatures/s',
    baseline: { run: rate('hmac') },
    variants: [{ title: '', target: null, run: rate('service') }],
  }
}
