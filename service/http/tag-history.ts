import { limits } from '../limits.ts'
import type { LokiQuery } from '../telemetry/loki-query.ts'
import type { TagChange, TagChanges } from '../wire/answers.ts'
import type { DocumentRef } from '../wire/names.ts'

export interface TagHistoryQuery {
  /** Default: all tags. */
  tag?: string | undefined
  limit: number
  /** Only changes before this time; default: now. */
  before?: Date | undefined
  signal: AbortSignal
}

/** Who pointed the tags of a document at what, as the copies of audit lines in Loki say. */
export interface TagHistory {
  /** Returns the changes of a bounded time, newest first. @throws {AuditUnavailable} */
  changes(document: DocumentRef, query: TagHistoryQuery): Promise<TagChanges>
}

/** There is no answer to be had; `cause` is for the log. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
}

const dayMilliseconds = 24 * 60 * 60 * 1000

/** Returns the history in the audit lines of this service. @param serviceName its name in logs */
export function createTagHistory(loki: LokiQuery, serviceName: string): TagHistory {
  return {
    async changes(document, { tag, limit, before = new Date(), signal }) {
      const from = new Date(before.getTime() - limits.auditQueryDaysMax * dayMilliseconds)
      const query = logQl(serviceName, document, tag)
      try {
        const lines = await loki.lines(query, { from, before, limit, signal })
        const changes = lines.map(changeOf).toSorted((a, b) => b.at.localeCompare(a.at))
        const last = changes.length < limit ? undefined : changes.at(-1)
        // One more millisecond: others of that one may not be among them.
        const since = last === undefined ? from : new Date(Date.parse(last.at) + 1)
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

function changeOf(line: Readonly<Record<string, unknown>>): TagChange {
  const text = (name: string) => {
    const value = line[name]
    return typeof value === 'string' ? value : null
  }
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
