import type { DocumentsClient } from '../../client/client.ts'
import { printJson, printLine } from '../output.ts'
import { parseVersion } from './reference.ts'

export interface UrlFlags {
  expires?: number
  json?: boolean
}

/** Prints a URL that downloads the version straight from the store, alone on standard output. It is a credential. */
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
