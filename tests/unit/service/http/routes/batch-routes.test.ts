import { afterEach, describe, expect, it, spyOn } from 'bun:test'
import { DocumentError } from '../../../../../service/documents/document-error.ts'
import type { Documents } from '../../../../../service/documents/documents.ts'
import type { Transfers } from '../../../../../service/documents/transfers.ts'
import { toProblem } from '../../../../../service/http/problem.ts'
import type { AdmittedContext, Route } from '../../../../../service/http/route.ts'
import { batchRoutes } from '../../../../../service/http/routes/batch-routes.ts'
import { limits } from '../../../../../service/limits.ts'
import type { VersionRef } from '../../../../../service/wire/names.ts'
import { jsonBody } from '../../../../support/service/ticket-calls.ts'

const digest = (at: number) => `sha256:${`${at}`.padStart(64, '0')}`
const item = (name: string, at: number) => ({ type: 'definitions', name, digest: digest(at) })

interface Line {
  name: string | undefined
  status: number
  code?: string | undefined
}

/** Asks for deletions that `remove` makes, and returns the rows of the answer and the audit lines of how each ended. */
async function deleteBy(remove: (version: VersionRef) => Promise<void>, items: ReturnType<typeof item>[]) {
  const lines: Line[] = []
  const documents = { deleteVersion: remove } as Partial<Documents> as Documents
  const route = batchRoutes(documents, {} as Transfers).find(({ path }) => path.endsWith('/delete')) as Route
  const context = {
    principal: { subject: 'alice', tenants: new Set(['acme']), scopes: new Set() },
    trace: { traceId: 'trace', spanId: 'span', sampled: false },
    auditItem:
      ({ name }) =>
      (answer) =>
        void lines.push({ name, ...answer }),
    itemProblem: toProblem,
  } as Partial<AdmittedContext> as AdmittedContext
  const request = new Request('http://localhost', { method: 'POST', ...jsonBody({ documents: items }) })
  const standBy = <T>(wait: () => Promise<T>) => wait()
  const response = await route.handle({ request, params: { tenant: 'acme' }, query: {}, context, standBy })
  const { results } = (await response.json()) as { results: { name: string; problem?: { code: string } }[] }
  return { results, lines }
}

let clock: { mockRestore(): void } | undefined
afterEach(() => clock?.mockRestore())

describe('the deletion of many versions', () => {
  it('never has two of one document under way, and a bounded number of others', async () => {
    const underWay: string[] = []
    let most = 0
    const remove = async ({ name }: VersionRef) => {
      expect(underWay).not.toContain(name)
      underWay.push(name)
      most = Math.max(most, underWay.length)
      await Bun.sleep(1)
      underWay.splice(underWay.indexOf(name), 1)
    }
    const items = Array.from({ length: 40 }, (_, at) => item(`n${at % 10}`, at))
    const { results } = await deleteBy(remove, items)
    expect(results).toEqual(items.map((each) => ({ ...each, status: 204 })))
    expect(most).toBe(limits.deletionsPerRequestMax)
  })

  it('begins none after a while, and says of the others that they have to be asked for again', async () => {
    let now = 0
    clock = spyOn(performance, 'now').mockImplementation(() => now)
    const removed: string[] = []
    const remove = async (version: VersionRef) => {
      removed.push(version.digest)
      now += limits.batchSecondsMax * 500
    }
    const items = [1, 2, 3].map((at) => item('slow', at))
    const { results, lines } = await deleteBy(remove, items)
    expect(removed).toEqual([digest(1), digest(2)])
    expect(results[2]).toMatchObject({ problem: { code: 'busy', status: 503, retryAfterSeconds: 5 } })
    expect(lines).toEqual([
      { name: 'slow', status: 204 },
      { name: 'slow', status: 204 },
      { name: 'slow', status: 503, code: 'busy' },
    ])
  })

  it('says of one that fails why, and continues with the next of the same document', async () => {
    const remove = async (version: VersionRef) => {
      if (version.digest === digest(1)) throw new DocumentError('version_locked', 'Locked.')
    }
    const { results } = await deleteBy(remove, [item('a', 1), item('a', 2)])
    expect(results).toMatchObject([{ problem: { code: 'version_locked' } }, { status: 204 }])
  })
})
