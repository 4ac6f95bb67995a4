import type { DocumentsClient } from '../client/client.ts'
import { UsageError } from './docs-failure.ts'
import { formatBytes, printBytes, printJson, printLine } from './docs-output.ts'
import { startProgress } from './docs-progress.ts'
import { parseVersion } from './docs-reference.ts'
import { saveWhole } from './docs-save.ts'

export interface GetFlags {
  output?: string
  force?: boolean
  json?: boolean
}

/** Downloads a version to a file, or to standard output for `-`, and checks every byte of it. */
export async function getDocument(
  client: DocumentsClient,
  version: string,
  flags: GetFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = parseVersion(version)
  const file = flags.output ?? ref.name
  if (file === '-' && flags.json)
    throw new UsageError('--json and the bytes cannot both go to standard output')
  const progress = startProgress(ref.name)
  try {
    if (file === '-') return await toStandardOutput(client, ref, progress.onProgress, signal)
    const saved = await saveWhole(file, { force: flags.force === true }, () =>
      client.get(ref, { onProgress: progress.onProgress, signal }),
    )
    progress.stop()
    if (flags.json) return printJson({ file, version: saved })
    await printLine(
      `saved: ${file} is ${saved.type}/${saved.name}@${saved.digest} (${formatBytes(saved.size)})`,
    )
  } finally {
    progress.stop()
  }
}

async function toStandardOutput(
  client: DocumentsClient,
  ref: Parameters<DocumentsClient['get']>[0],
  onProgress: ReturnType<typeof startProgress>['onProgress'],
  signal: AbortSignal,
): Promise<void> {
  const { stream } = await client.get(ref, { onProgress, signal })
  for await (const chunk of stream) await printBytes(chunk)
}
