import { jsonMembers } from './answers.ts'
import {
  continuedVersion,
  type Download,
  type DownloadOptions,
  head,
  open,
  type VersionInfo,
  type VersionName,
} from './download.ts'
import { type CallIds, StoreError } from './errors.ts'
import { type DocumentName, versionPath } from './references.ts'
import { storeRefusal, storeUnreachable, watchIdle } from './store-call.ts'
import { signedUrl } from './ticket.ts'
import type { TransferParts } from './ticket-upload.ts'
import { runtimeFetch, type Send } from './transport.ts'
import { verifiedStream } from './verified-stream.ts'

/** A URL that anyone who holds it can download the version with until `expiresAt` (RFC 3339): a credential. */
export interface DownloadUrl {
  url: string
  expiresAt: string
}

export interface DownloadUrlOptions {
  /** How long the URL is valid; the service has a default and a maximum. */
  expiresInSeconds?: number | undefined
  signal?: AbortSignal | undefined
}

/** See `DocumentsClient.createDownload`. */
export async function createDownload(
  send: Send,
  ref: DocumentName & { digest: string },
  options: DownloadUrlOptions,
): Promise<DownloadUrl> {
  const { url, expiresAt } = await askForUrl(send, ref, options)
  return { url, expiresAt }
}

/** See `DocumentsClient.get` with `direct`. */
export async function openDirect(
  parts: TransferParts,
  tenant: string,
  ref: VersionName,
  options: DownloadOptions,
): Promise<Download> {
  const { signal } = options
  const version = await head(parts.send, tenant, ref, signal)
  const { ids, url } = await askForUrl(parts.send, version, { signal })
  try {
    return await openAtStore(parts, version, { url, ids }, options)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    // By digest: the tag may have moved since.
    const { type, name, digest } = version
    return {
      ...(await open(parts, tenant, { type, name, digest }, options)),
      fallbackReason: error.reason,
    }
  }
}

async function askForUrl(
  send: Send,
  ref: DocumentName & { digest: string },
  { expiresInSeconds, signal }: DownloadUrlOptions,
): Promise<DownloadUrl & { ids: CallIds }> {
  const answer = await send({
    method: 'POST',
    path: `${versionPath(ref, ref.digest)}/downloads`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ expiresInSeconds }),
    signal,
  })
  const members = await jsonMembers(answer)
  const url = signedUrl(members.text('url'), answer.ids)
  return { url, expiresAt: members.text('expiresAt'), ids: answer.ids }
}

async function openAtStore(
  parts: TransferParts,
  version: VersionInfo,
  { url, ids }: { url: string; ids: CallIds },
  { onProgress, signal }: DownloadOptions,
): Promise<Download> {
  const { fetch, limits } = parts
  const watch = watchIdle(limits, signal)
  const failure = (error: unknown) => {
    watch.stop()
    if (signal?.aborted) return signal.reason
    return storeUnreachable(url, watch.stalled ? { code: 'stalled' } : error, ids)
  }
  const response = await (fetch ?? runtimeFetch)(url, {
    // A coded body would be hashed after decoding.
    headers: { 'accept-encoding': 'identity' },
    signal: watch.signal,
    redirect: 'error',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  }).catch((error) => {
    throw failure(error)
  })
  // The reader may be slow: only the beginning of the answer is watched for stalls.
  watch.relax()
  if (response.status !== 200) throw await storeRefusal(url, response, ids)
  const onBytes = (bytes: number) => {
    if (bytes === version.size) watch.stop()
    onProgress?.({ bytes, totalBytes: version.size })
  }
  const { digest, size: sizeBytes } = version
  const opened = { body: response.body, failure }
  const received = continuedVersion(parts, version, opened, { first: 0, sizeBytes, signal })
  const stream = verifiedStream(received, { digest, sizeBytes, ids, onBytes })
  return { version, range: null, stream, via: 'store', fallbackReason: null }
}
