import { readFile } from 'node:fs/promises'

/** What Chromium itself recorded about its network (`--log-net-log`), including its own requests. */
export interface NetLog {
  /** Every URL that was requested, redirects included, as it was requested. */
  urls: string[]
  /** Every address that was connected to over TCP, such as `127.0.0.1:8080`. */
  addresses: string[]
  /** All of the log as text, with what was on the sockets in the order of each, where that was logged. */
  text: string
}

interface NetLogEvent {
  source: { id: number }
  type: number
  params?: { url?: string; address?: string; bytes?: string }
}

interface NetLogConstants {
  logEventTypes: Record<string, number>
}

/** @throws {Error} if the file is not such a log, or holds no event: then it would prove nothing. */
export async function readNetLog(file: string): Promise<NetLog> {
  const text = await readFile(file, 'utf8')
  const log = JSON.parse(text) as { constants: NetLogConstants; events: NetLogEvent[] }
  if (log.events.length === 0) throw new Error('the browser logged nothing of its network')
  const { logEventTypes: types } = log.constants
  const ofType = (name: string) => {
    if (types[name] === undefined) throw new Error(`this Chromium has no event ${name} in its log`)
    return log.events.filter(({ type }) => type === types[name])
  }
  return {
    urls: distinct(ofType('URL_REQUEST_START_JOB').map(({ params }) => params?.url)),
    addresses: distinct(ofType('TCP_CONNECT_ATTEMPT').map(({ params }) => params?.address)),
    text: [text, ...socketTexts(log.events, [types.SOCKET_BYTES_SENT, types.SOCKET_BYTES_RECEIVED])].join(
      '\n',
    ),
  }
}

/** The log has bytes in pieces: what spans two of them must be found too. */
function socketTexts(events: NetLogEvent[], types: readonly (number | undefined)[]): string[] {
  const pieces = new Map<string, string[]>()
  for (const { source, type, params } of events) {
    if (params?.bytes === undefined || !types.includes(type)) continue
    const key = `${source.id} ${type}`
    const piece = Buffer.from(params.bytes, 'base64').toString('latin1')
    pieces.set(key, [...(pieces.get(key) ?? []), piece])
  }
  return [...pieces.values()].map((texts) => texts.join(''))
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))]
}
