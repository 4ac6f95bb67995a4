import { indentedJson } from './indented-json.ts'

/** What is shown of a document is read into the page: enough for configuration, not for dumps. */
export const previewBytesMax = 256 * 1024

const textTypes =
  /^(text\/.+|application\/(.+\+)?(json|yaml|xml|toml)|application\/(x-yaml|jsonl|x-ndjson|javascript|x-sh|sql))$/

/** Whether a version is small, and text by its type. */
export function isPreviewable({ contentType, size }: { contentType: string; size: number }): boolean {
  return size <= previewBytesMax && textTypes.test(mediaType(contentType))
}

export interface PreviewText {
  /** As it is stored. */
  raw: string
  /** Indented, where it is JSON; `null` where it is not. */
  pretty: string | null
  /** Whether some bytes are no UTF-8, and are shown as U+FFFD. */
  hasBadBytes: boolean
  /** Why it is not shown as JSON although its type says that it is. */
  jsonError: string | null
}

/** The text of a version, to be shown as text and nothing else. */
export function previewText(bytes: Uint8Array, contentType: string): PreviewText {
  const raw = new TextDecoder('utf-8').decode(bytes)
  const hasBadBytes = !isUtf8(bytes)
  if (!/\bjson$/.test(mediaType(contentType))) return { raw, pretty: null, hasBadBytes, jsonError: null }
  try {
    JSON.parse(raw)
    return { raw, pretty: indentedJson(raw), hasBadBytes, jsonError: null }
  } catch (error) {
    return { raw, pretty: null, hasBadBytes, jsonError: error instanceof Error ? error.message : '' }
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
