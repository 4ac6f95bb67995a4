import type { Documents } from '../../documents/documents.ts'
import { limits } from '../../limits.ts'
import { ProblemError } from '../problem.ts'
import { defineRoute, json, noStore, type Route } from '../route.ts'
import { NamesQuery, NamesShape, TenantPath, TypesQuery, TypesShape, UsageShape } from './schemas.ts'

const collection = '/v1/tenants/:tenant/documents'

/** Calls that list what a tenant has by type and by name: a row for each, however many versions there are. */
export function nameRoutes(documents: Documents): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${collection}/types`,
      action: 'type.list',
      params: TenantPath,
      query: TypesQuery,
      summary: 'Types of which there are documents',
      answers: [{ status: 200, description: 'One page', body: TypesShape, headers: noStore }],
      problems: ['cursor_invalid'],
      async handle({ params, query, request }) {
        const limit = query.limit ?? limits.listLimitDefault
        return json(200, await documents.types({ ...params, ...query, limit }, request.signal))
      },
    }),

    defineRoute({
      method: 'GET',
      path: `${collection}/usage`,
      action: 'usage.read',
      params: TenantPath,
      summary: 'What the tenant has stored, by type, as it was counted last; it says when that was',
      answers: [{ status: 200, description: 'The usage', body: UsageShape, headers: noStore }],
      problems: ['usage_unknown'],
      async handle({ params: { tenant }, request }) {
        return json(200, await documents.usage(tenant, request.signal))
      },
    }),

    defineRoute({
      method: 'GET',
      path: `${collection}/names`,
      action: 'name.list',
      params: TenantPath,
      query: NamesQuery,
      summary: 'Documents of a type, one row for each',
      answers: [{ status: 200, description: 'One page', body: NamesShape, headers: noStore }],
      problems: ['cursor_invalid', 'integrity_violated'],
      async handle({ params, query, request }) {
        const limit = query.limit ?? limits.listLimitDefault
        if (query.include !== undefined && limit > limits.namesIncludeMax) {
          const most = `A page with "include" has at most ${limits.namesIncludeMax} rows.`
          throw new ProblemError('request_invalid', `${most} Lower "limit" and continue by "cursor".`)
        }
        return json(200, await documents.names({ ...params, ...query, limit }, request.signal))
      },
    }),
  ]
}
