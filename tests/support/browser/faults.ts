import { deriveKey } from '../../../service/derived-key.ts'
import type { ServiceForTests } from '../service/service-for-tests.ts'
import type { BrowserForTests } from './browser.ts'
import type { NetLog } from './browser-net-log.ts'
import type { Recording } from './browser-recording.ts'
import { storedIn } from './browser-storage.ts'
import { type BrowserTraces, findAccessKeyId, findSecrets, tokensIn, urlsWith } from './leaks.ts'

/** What is left of a scene, and what must not be in it. */
export interface SceneTraces extends BrowserTraces {
  recording: Recording
  netLog: NetLog
  /** Of the UI. */
  origin: string
  /** Store credentials, signing keys and the provider's keys: no browser ever gets one. */
  secrets: readonly (string | Uint8Array)[]
  accessKeyId: string
}

/**
 * Closes the browser and gathers what is left of it.
 *
 * @param keys of the issuer, which no browser gets either.
 */
export async function tracesOf(
  browser: BrowserForTests,
  { url, connection }: Pick<ServiceForTests, 'url' | 'connection'>,
  keys: readonly string[],
): Promise<SceneTraces> {
  const { recording } = browser
  await recording.settled()
  const stored = (await Promise.all(browser.windows().map(storedIn))).flat()
  const netLog = await browser.stop()
  const { secretAccessKey, accessKeyId } = connection
  const secrets = [secretAccessKey, ...derivedKeys(secretAccessKey), ...keys]
  return { recording, netLog, netLogText: netLog.text, stored, secrets, accessKeyId, origin: url }
}

/** Everything that no page of the UI may do, see or keep, each as a sentence; none where all is well. */
export function faultsIn(traces: SceneTraces): string[] {
  return [
    ...traces.recording.complaints.map((complaint) => `a page complained: ${complaint}`),
    ...findSecrets(traces, traces.secrets).map((where) => `the browser has ${where}`),
    ...findAccessKeyId(traces, traces.accessKeyId).map((where) => `the access key id is in ${where}`),
    ...urlsWithTokens(traces).map((url) => `a token is in ${url}`),
    ...keptTooLong(traces),
    ...traces.netLog.addresses.filter((address) => !isLoopback(address)).map((at) => `connected to ${at}`),
  ]
}

export function urlsWithTokens({ recording, netLog }: Pick<SceneTraces, 'recording' | 'netLog'>): string[] {
  const urls = [...recording.exchanges.map(({ url }) => url), ...netLog.urls]
  return urlsWith(tokensIn(recording), [...new Set(urls)])
}

/** What the UI has stored that outlives the tab. */
export function keptTooLong({ stored, origin }: Pick<SceneTraces, 'stored' | 'origin'>): string[] {
  return stored
    .filter((each) => each.origin === origin)
    .flatMap(({ localStorage, others, cookies }) => [...Object.keys(localStorage), ...others, ...cookies])
    .map((what) => `the UI has stored ${what}`)
}

/** Of everything that the service signs with by itself. */
function derivedKeys(secretAccessKey: string): Uint8Array[] {
  const purposes = ['documents/cursor/v1', 'documents/ticket/v1'] as const
  return purposes.map((purpose) => deriveKey(secretAccessKey, purpose))
}

function isLoopback(address: string): boolean {
  return /^(127\.0\.0\.1|\[::1\]):/.test(address)
}
