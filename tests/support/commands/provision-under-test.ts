import { randomBytes } from 'node:crypto'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { type JsonRun, runScript } from './script-run.ts'

/** Returns the variables that say where the store is, without a key. */
export function placeOf(store: StoreConnection, bucket: string): Record<string, string> {
  return {
    S3_ENDPOINT: store.endpoint,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: 'true',
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: bucket,
  }
}

/** Runs `bun run provision …`. */
export function provision(args: string[], env: Record<string, string>): Promise<JsonRun> {
  return runScript('provision', args, env)
}

/** Returns the name of a bucket that is not there yet. */
export function newBucket(): string {
  return `test-${randomBytes(12).toString('hex')}`
}
