import { sweep } from '../../../service/documents/maintenance/sweeper.ts'
import { limits } from '../../../service/limits.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { parseEntityTag } from '../../../service/wire/entity-tag.ts'
import { latestTag } from '../../../service/wire/names.ts'
import type { AtRest } from '../model/at-rest.ts'
import { type Caller, jsonOf } from '../service/caller.ts'
import { digestOf } from '../service/sample-documents.ts'
import { forEachParallel } from '../stores/bodies.ts'
import { keysOf, later } from '../stores/store-contents.ts'
import type { DocumentHistory } from './document-history.ts'

/**
 * Reads a document by every way that the API has, once nothing is under way any more.
 *
 * @param tags the names that the history has used, `latest` among them.
 * @throws {Error} if a read is answered with anything but 200 and 404.
 */
export async function readAtRest(
  call: Caller,
  { path, contents }: DocumentHistory,
  tags: readonly string[],
): Promise<AtRest> {
  const rest = {
    versions: {} as Record<string, AtRest['versions'][string]>,
    tags: {} as Record<string, AtRest['tags'][string]>,
    tagged: {} as Record<string, string[]>,
  }
  const [type, name] = path.split('/')
  const rows = await rowsOf(await found(call, `${path}/versions`))
  for (const { digest } of contents) {
    const answer = await found(call, `${path}/versions/${digest}`)
    const row = rows.get(digest)
    // What /versions does not show has no facts, which no upload has.
    const facts = row ?? { size: -1, contentType: '', createdBy: '' }
    rest.versions[digest] = answer && {
      facts,
      bytes: digestOf(await answer.bytes()) === digest ? 'intact' : 'damaged',
    }
  }
  for (const tag of tags) {
    const answer = await found(call, `${path}/tags/${tag}`)
    const etag = parseEntityTag(answer?.headers.get('etag') ?? null) ?? undefined
    rest.tags[tag] = answer && { digest: String((await jsonOf(answer)).digest), ...(etag ? { etag } : {}) }
    if (tag !== latestTag) rest.tagged[tag] = await taggedWith(call, { type, name, tag })
  }
  const listing = await call(`?type=${type}&name=${name}&limit=1000`)
  const { documents } = (await listing.json()) as { documents: { digest: string }[] }
  return { ...rest, listed: documents.map(({ digest }) => digest) }
}

/** What the list by a tag shows for one document. Names of histories are no beginning of others. */
async function taggedWith(
  call: Caller,
  { type, name, tag }: { type: string | undefined; name: string | undefined; tag: string },
): Promise<string[]> {
  const answer = await call(`?type=${type}&tag=${tag}&namePrefix=${name}&limit=100`)
  const { documents } = (await answer.json()) as { documents: { name: string; digest: string }[] }
  return documents.filter((row) => row.name === name).map(({ digest }) => digest)
}

async function rowsOf(answer: Response | null) {
  const { versions = [] } = answer ? ((await answer.json()) as { versions?: Row[] }) : {}
  return new Map(
    versions.map(({ digest, size, contentType, createdBy }) => [digest, { size, contentType, createdBy }]),
  )
}

/** After this no DELETE that was begun before can act any more. */
const deletionsOverSeconds = limits.deletionAcceptedSeconds + limits.deletionSettledSeconds + 30
/** Fewer than the connections of a bucket in tests. */
const readersMax = 3

/**
 * Sweeps until no deletion is under way any more: one that was given up is ended once its DELETE cannot act any more.
 *
 * @param paths of the documents, `<type>/<name>`.
 * @throws {Error} if one is left by a sweep that began when none could act any more.
 */
export async function settleDeletions(store: ObjectStore, paths: readonly string[]): Promise<void> {
  const over = performance.now() + deletionsOverSeconds * 1000
  let open = [...paths]
  while (open.length > 0) {
    const isLast = performance.now() > over
    await sweep(store)
    const left: string[] = []
    await forEachParallel(open, readersMax, async (path) => {
      if (!(await isSettled(store, path))) left.push(path)
    })
    if (isLast && left.length > 0)
      throw new Error(`the sweep does not end the deletions of ${left.join(', ')}`)
    open = left
  }
}

async function isSettled(store: ObjectStore, path: string): Promise<boolean> {
  const record = await store.get(`tenants/acme/records/${path}`)
  if (record === null) return true
  const { deleting = {} } = (await new Response(record.body).json()) as { deleting?: object }
  return Object.keys(deleting).length === 0
}

/** Sweeps as if it were two days later, and returns the keys of all that is no version, no record and no row of a tag. */
export async function leftAfterSweep(store: ObjectStore): Promise<string[]> {
  const muchLater = later(store, 48)
  await sweep(muchLater)
  const unfinished = await store.listUnfinished('')
  const keys = (await keysOf(store, '')).filter(
    (key) => !/^tenants\/[^/]+\/(documents|records|tagged|tags)\//.test(key),
  )
  return [...keys, ...unfinished.map(({ key }) => `${key}, unfinished`)]
}

interface Row {
  digest: string
  size: number
  contentType: string
  createdBy: string
}

async function found(call: Caller, path: string): Promise<Response | null> {
  const answer = await call(path)
  if (answer.status === 404) return null
  if (answer.ok) return answer
  throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
}
