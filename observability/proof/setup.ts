import { readFileSync } from 'node:fs'
import { CommandError } from '../../compose/run-command.ts'
import { ServerBuildError } from '../../compose/servers/build-server.ts'
import { ServerStartError } from '../../compose/servers/server-process.ts'
import { Missing } from '../../service/cli/checks/check.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import type { Environment } from '../../service/config/source.ts'
import { registerSecret } from '../../service/telemetry/redaction.ts'
import { Secret } from '../../service/telemetry/secret.ts'
import type { StoreAccess } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import type { Request } from './flags.ts'
import type { Proof } from './proof.ts'
import type { Report } from './report/report.ts'

/** What a run needs before its first check. */
export interface Setup {
  proof: Proof
  /** What stands in the report. */
  facts: Pick<Report, 'deployment' | 'store' | 'servers'>
  /** What is there, in one line. */
  seen: string
  /** Ends what was started; after `proof.close`. */
  stop(): Promise<void>
}

export interface SetupOptions {
  request: Request
  env: Environment
  evidence: Evidence
  signal: AbortSignal
  onProgress: OnProgress
}

/** The sentence under which it is reported. */
export const setupCheck = { id: 'setup', sentence: 'The store, and what runs the servers, are there' }

/** True if the error says that something is not there, and nothing about what was to be proved. */
export function isMissing(error: unknown): error is Error {
  return [Missing, ServerBuildError, ServerStartError, CommandError].some((kind) => error instanceof kind)
}

/** Shorter ones are chosen by people (`minio`), and blotting such a word out would spoil every text. */
const issuedKeyIdCharsMin = 16

/** Keeps the store's keys out of everything that is printed or kept. */
export function hideKeys({ accessKeyId, secretAccessKey }: StoreAccess): void {
  if (accessKeyId.length >= issuedKeyIdCharsMin) registerSecret(new Secret(accessKeyId))
  registerSecret(new Secret(secretAccessKey))
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
