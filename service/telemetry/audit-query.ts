import { limits } from '../limits.ts'
import type { TagChange, TagChanges } from '../wire/answers.ts'
import type { DocumentRef } from '../wire/names.ts'
import type { Secret } from './secret.ts'

export interface TagChangesQuery {
  /** Default: all tags. */
  tag?: string | undefined
  limit: number
  /** Only changes before this time; default: now. */
  before?: Date | undefined
  signal: AbortSignal
}

/** Asks where the copies of audit lines are kept. */
export interface AuditQuery {
  /** Returns who moved tags of a document, and when. @throws {AuditUnavailable} */
  tagChanges(document: DocumentRef, query: TagChangesQuery): Promise<TagChanges>
}

/** There is no answer to be had; `cause` is for the log. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
}

export interface LokiOptions {
  /** Base URL of Loki's API. */
  url: string
  headers: Readonly<Record<string, Secret>>
  proxy: Secret | undefined
  /** Name of the service in logs: whose lines are looked at. */
  serviceName: string
}

/**
 * Returns the audit in Loki, which has it by OTLP (README.md, "Log lines"):
 * https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time.
 */
export function createAuditQuery({ url, headers, proxy, serviceName }: LokiOptions): AuditQuery {
  const revealed = Object.entries(headers).map(([name, value]) => [name, value.reveal()])
  const init: RequestInit & BunFetchRequestInit = {
    headers: Object.fromEntries(revealed),
    redirect: 'manual',
    proxy: proxy?.reveal() ?? false,
  }

  async function ask(parameters: Record<string, string>, signal: AbortSignal): Promise<string[]> {
    const address = `${url.replace(/\/$/, '')}/loki/api/v1/query_range?${new URLSearchParams(parameters)}`
    const timeout = AbortSignal.timeout(limits.auditQuerySecondsMax * 1000)
    const response = await fetch(address, { ...init, signal: AbortSignal.any([signal, timeout]) })
    const text = await bounded(response)
    if (response.status !== 200) throw new Error(`Loki answered ${response.status}: ${text.slice(0, 200)}`)
    return linesIn(JSON.parse(text))
  }

  return {
    async tagChanges(document, { tag, limit, before = new Date(), signal }) {
      const windowStart = new Date(before.getTime() - limits.auditQueryDaysMax * 24 * 3600 * 1000)
      const query = logQl(serviceName, document, tag)
      const range = { start: nanoseconds(windowStart), end: nanoseconds(before) }
      try {
        const lines = await ask({ query, ...range, limit: String(limit), direction: 'backward' }, signal)
        const found = lines.map((line) => changeOf(JSON.parse(line)))
        const changes = found.toSorted((a, b) => b.at.localeCompare(a.at))
        const last = found.length < limit ? undefined : changes.at(-1)
        // One more millisecond: others of that one may not be among them.
        const since = last === undefined ? windowStart : new Date(Date.parse(last.at) + 1)
        return { changes, since: since.toISOString() }
      } catch (cause) {
        throw new AuditUnavailable('the audit cannot be asked', { cause })
      }
    },
  }
}

/** Names have a form without quotes or backslashes; the service's may have any, which JSON escapes as Go does. */
function logQl(serviceName: string, { tenant, type, name }: DocumentRef, tag: string | undefined): string {
  const moved = `action=~"tag[.].+" and status<300`
  const uploaded = `action=~"document[.]put|upload[.]complete" and status<202 or action="upload.create" and status=200`
  const ofTag = tag === undefined ? moved : `tag=${JSON.stringify(tag)} and ${moved}`
  const which = tag === undefined || tag === 'latest' ? `${ofTag} or ${uploaded}` : ofTag
  return [
    `{service_name=${JSON.stringify(serviceName)}}`,
    `cloudlysis_kind="audit"`,
    `cloudlysis_event="access.answered"`,
    `cloudlysis_tenant=${JSON.stringify(tenant)}`,
    'json',
    `tenant=${JSON.stringify(tenant)} and type=${JSON.stringify(type)} and name=${JSON.stringify(name)}`,
    which,
  ].join(' | ')
}

function changeOf(line: Record<string, unknown>): TagChange {
  const text = (name: string) => (typeof line[name] === 'string' ? line[name] : null)
  const action = text('action') ?? ''
  return {
    tag: text('tag') ?? 'latest',
    action,
    at: text('time') ?? '',
    by: text('subject') ?? '',
    digest: action === 'tag.delete' ? null : text('digest'),
    previousDigest: text('previousDigest'),
    traceId: text('traceId') ?? '',
  }
}

interface LokiAnswer {
  data: { result: { values: [nanoseconds: string, line: string][] }[] }
}

function linesIn(answer: LokiAnswer): string[] {
  return answer.data.result.flatMap(({ values }) => values.map(([, line]) => line))
}

function nanoseconds(date: Date): string {
  return `${date.getTime()}000000`
}

async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (bytes > limits.auditAnswerBytesMax)
      throw new Error(`Loki sent more than ${limits.auditAnswerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
