import { join } from 'node:path'
import type { CommandResult } from '../../../compose/run-command.ts'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { makeTempFolder } from '../../../service/cli/temp-folder.ts'
import { freshBucket } from '../stores/bucket.ts'
import { chosenStore, storeForTests } from '../stores/store.ts'
import { putByte } from './bucket-objects.ts'
import { storeVariables, validate } from './validate-program.ts'

/** One run of `validate --all`, with its store and buckets. */
export interface WholeProof {
  store: StoreConnection
  /** Each contains a foreign object: {@link foreignKey}. */
  buckets: { loki: string; tempo: string }
  /** Holds `junit.xml` and `evidence/`; to be removed by the caller. */
  folder: string
  result: CommandResult
}

export const foreignKey = 'foreign/report.txt'

let whole: Promise<WholeProof> | undefined

/**
 * Begins the proof with an earlier file under the runner, where `validate-whole` is the last of many: it mostly waits,
 * for minutes, and other tests can run meanwhile. `validate-whole` reports how it ends.
 */
export function beginWholeProof(): void {
  if (process.env.TEST_SECRETS_FILE !== undefined && chosenStore() === 'minio') wholeProof().catch(() => {})
}

/** Returns the one run of this process; the first call starts it. */
export function wholeProof(): Promise<WholeProof> {
  whole ??= proveWhole()
  return whole
}

async function proveWhole(): Promise<WholeProof> {
  const store = await storeForTests('minio')
  const folder = await makeTempFolder('validate-whole')
  const buckets = { loki: await freshBucket(store), tempo: await freshBucket(store) }
  for (const bucket of Object.values(buckets)) await putByte(store, bucket, foreignKey)
  const env = {
    ...(await storeVariables(store, buckets, folder)),
    S3_PREFIX_LOKI: 'logs-of-acme/',
    S3_PREFIX_TEMPO: 'traces/of/acme/',
  }
  const files = ['--junit', join(folder, 'junit.xml'), '--evidence', join(folder, 'evidence')]
  return { store, buckets, folder, result: await validate(['--all', '--json', ...files], env) }
}
