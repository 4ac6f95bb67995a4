import type { Static } from '@sinclair/typebox'
import type { Documents } from '../../documents/documents.ts'
import { inParallel } from '../../documents/in-order.ts'
import type { Transfers } from '../../documents/transfers.ts'
import { limits } from '../../limits.ts'
import { problems } from '../../wire/problems.ts'
import { itemDetails, ProblemError } from '../problem.ts'
import { type FormError, formProblem, readJson } from '../request-form.ts'
import { type AdmittedContext, defineRoute, json, noStore, type Route } from '../route.ts'
import {
  DeleteBody,
  DeletedShape,
  DownloadsBody,
  DownloadsShape,
  HaveBody,
  HaveShape,
} from './batch-schemas.ts'
import { TenantPath } from './schemas.ts'

const collection = '/v1/tenants/:tenant/documents'

/** A version that a body names. */
type Item = Static<typeof DeleteBody>['documents'][number]

/** Calls about many versions at once (ARCHITECTURE.md, "The API"). */
export function batchRoutes(documents: Documents, transfers: Transfers): Route[] {
  const shared = { method: 'POST', params: TenantPath, many: true } as const
  return [
    defineRoute({
      ...shared,
      path: `${collection}/have`,
      action: 'version.have',
      body: { json: HaveBody, bytesMax: limits.haveBodyBytesMax },
      summary:
        'Which versions have their bytes in the store: an upload of them by ticket need send none. It still has to be made',
      answers: [{ status: 200, description: 'In the order asked', body: HaveShape, headers: noStore }],
      async handle({ params, request }) {
        const { documents: items } = await readJson(request, HaveBody, limits.haveBodyBytesMax)
        const versions = items.map((item) => ({ ...params, ...item }))
        const present = await documents.have(versions, request.signal)
        return json(200, { documents: items.map((item, at) => ({ ...item, present: present[at] })) })
      },
    }),

    defineRoute({
      ...shared,
      path: `${collection}/downloads`,
      action: 'download.create',
      body: { json: DownloadsBody },
      summary: 'Ask for URLs that give the bytes of many versions straight from the object store',
      answers: [{ status: 200, description: 'In the order asked', body: DownloadsShape, headers: noStore }],
      async handle({ params, request, context }) {
        const { documents: items, expiresInSeconds } = await readJson(request, DownloadsBody)
        const { signal } = request
        const attempt = attemptsOf(context)
        const downloads = await inParallel(items, limits.callsPerRequestMax, async (item) => {
          signal.throwIfAborted()
          const signed = await attempt(() =>
            transfers.createDownload({ ...params, ...item }, { expiresInSeconds, signal }),
          )
          if (signed instanceof ProblemError) return refused(item, signed, context)
          const { id, url, expiresAt } = signed
          context.auditSignedUrl({ id, expiresAt }, item)
          return { ...item, url, expiresAt }
        })
        return json(200, { downloads })
      },
    }),

    defineRoute({
      ...shared,
      path: `${collection}/delete`,
      action: 'version.delete',
      body: { json: DeleteBody },
      summary: 'Delete many versions permanently, each under the rules of DELETE of one',
      answers: [{ status: 200, description: 'In the order asked', body: DeletedShape, headers: noStore }],
      async handle({ params, request, context }) {
        const { documents: items } = await readJson(request, DeleteBody)
        refuseRepeated(items)
        const by = context.principal.subject
        const attempt = attemptsOf(context)
        const remove = async (item: Item) => {
          request.signal.throwIfAborted()
          const auditAnswer = context.auditItem(item)
          // Without the signal: a deletion that has begun is finished for a client that has disconnected, too.
          const failure = await attempt(() => documents.deleteVersion({ ...params, ...item }, { by }))
          if (failure instanceof ProblemError) {
            const { code } = failure
            auditAnswer({ status: problems[code].status, code })
            return refused(item, failure, context)
          }
          auditAnswer({ status: 204 })
          return { ...item, status: 204 }
        }
        return json(200, { results: await documentByDocument(items, remove) })
      },
    }),
  ]
}

/**
 * Returns what tries the items of a request, and gives back the problem of one that fails. None is begun any more after
 * `limits.batchSecondsMax`.
 */
function attemptsOf(context: AdmittedContext) {
  const begunAt = performance.now()
  return async <Result>(work: () => Promise<Result>): Promise<Result | ProblemError> => {
    if (performance.now() - begunAt >= limits.batchSecondsMax * 1000) return tooLate()
    try {
      return await work()
    } catch (error) {
      return context.itemProblem(error)
    }
  }
}

/** Versions of one document come one after the other, since they change the same record; other documents do not wait. */
async function documentByDocument<Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const places = Map.groupBy(items.entries(), ([, { type, name }]) => `${type}/${name}`)
  const results = await inParallel(places.values(), limits.deletionsPerRequestMax, async (ofDocument) => {
    const done: [place: number, Result][] = []
    for (const [place, item] of ofDocument) done.push([place, await work(item)])
    return done
  })
  return results
    .flat()
    .toSorted(([a], [b]) => a - b)
    .map(([, result]) => result)
}

/**
 * Refuses versions that are there twice, by their places: a second deletion could only be answered that the version is
 * gone, and an archive has no second place for it.
 *
 * @throws {ProblemError} `request_invalid`
 */
export function refuseRepeated(items: readonly Item[]): void {
  const places = new Map<string, number>()
  const errors = items.flatMap(({ type, name, digest }, place): FormError[] => {
    const version = `${type}/${name}@${digest}`
    const first = places.get(version)
    if (first === undefined) places.set(version, place)
    if (first === undefined) return []
    return [
      { in: 'body', pointer: `/documents/${place}`, message: `The same version as /documents/${first}` },
    ]
  })
  if (errors.length > 0) throw formProblem(errors)
}

function refused(item: Item, problem: ProblemError, { trace }: AdmittedContext) {
  return { ...item, problem: itemDetails(problem, trace.traceId) }
}

function tooLate(): ProblemError {
  return new ProblemError('busy', 'The versions before this one took too long. Ask for it again.')
}
