import { limits } from '../../limits.ts'
import { ProblemError } from '../problem.ts'
import { defineRoute, json, noStore, type Route } from '../route.ts'
import { AuditUnavailable, type TagHistory } from '../tag-history.ts'
import { DocumentPath, HistoryQuery, HistoryShape } from './schemas.ts'

/** The call that says who pointed tags at what, and when. @param history absent where the audit cannot be asked */
export function historyRoutes(history: TagHistory | undefined): Route[] {
  return [
    defineRoute({
      path: '/v1/tenants/:tenant/documents/:type/:name/history',
      method: 'GET',
      action: 'history.read',
      params: DocumentPath,
      query: HistoryQuery,
      summary: 'Who pointed tags at what, and when, as the audit says',
      answers: [{ status: 200, description: 'Changes, newest first', body: HistoryShape, headers: noStore }],
      problems: ['audit_absent', 'audit_unavailable'],
      async handle({ params, query: { tag, limit, before }, request }) {
        if (!history)
          throw new ProblemError('audit_absent', 'The operator has configured no AUDIT_QUERY_URL.')
        const upTo = before === undefined ? undefined : new Date(before)
        if (Number.isNaN(upTo?.getTime()))
          throw new ProblemError('request_invalid', 'The query parameter "before" is not a date.')
        const { signal } = request
        const asked = { tag, limit: limit ?? limits.historyLimitDefault, before: upTo, signal }
        try {
          return json(200, await history.changes(params, asked))
        } catch (cause) {
          if (!(cause instanceof AuditUnavailable)) throw cause
          throw new ProblemError('audit_unavailable', 'The audit does not answer. Try again later.', {
            cause,
          })
        }
      },
    }),
  ]
}
