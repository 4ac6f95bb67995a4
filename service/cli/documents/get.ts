import type { DocumentsClient } from '../../client/client.ts'
import type { Download } from '../../client/download.ts'
import { UsageError } from '../command.ts'
import { formatBytes, printBytes, printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'
import { parseVersion } from './reference.ts'
import { saveWhole } from './save.ts'

export interface GetFlags {
  output?: string
  force?: boolean
  direct?: boolean
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
    const open = () => client.get(ref, { direct: flags.direct, onProgress: progress.onProgress, signal })
    if (file === '-') return await toStandardOutput(await open())
    const { version: saved } = await saveWhole(file, { force: flags.force === true }, open)
    progress.stop()
    if (flags.json) return printJson({ file, version: saved })
    await printLine(
      `saved: ${file} is ${saved.type}/${saved.name}@${saved.digest} (${formatBytes(saved.size)})`,
    )
  } finally {
    progress.stop()
  }
}

async function toStandardOutput({ stream }: Download): Promise<void> {
  for await (const chunk of stream) await printBytes(chunk)
}

export interface UrlFlags {
  expires?: number
  json?: boolean
}

/** Prints a URL that downloads the version directly from the store, alone on standard output. It is a credential. */
export async function signUrl(
  client: DocumentsClient,
  version: string,
  { expires: expiresInSeconds, json }: UrlFlags,
  signal: AbortSignal,
): Promise<void> {
  const { type, name, digest, tag } = parseVersion(version)
  const exact =
    digest ?? (await client.head({ type, name, ...(tag === undefined ? {} : { tag }) }, { signal })).digest
  const signed = await client.createDownload({ type, name, digest: exact }, { expiresInSeconds, signal })
  if (json) await printJson({ ...signed, digest: exact })
  else await printLine(signed.url)
}
