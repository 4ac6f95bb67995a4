import { extract } from 'tar-stream'
import { createRetention } from '../../service/documents/maintenance/retention.ts'
import { sweep } from '../../service/documents/maintenance/sweeper.ts'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { formatRange } from '../../service/wire/byte-range.ts'
import { type Caller, chunked, type Json, jsonOf, refusalOf } from '../support/service/caller.ts'
import { digestOf, pathOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../support/service/ticket-upload.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { type Answer, byteRange, digestAt, hashOf, otherDigest, ticketOf } from './expected-answers.ts'
import type { Condition, Operation, OperationOf, Target } from './operations.ts'
import type { World } from './world.ts'

/** The replicas of the service that a sequence runs against. */
export interface Replicas {
  /** Calls each replica as that subject, who may do everything in all tenants. */
  callers: readonly Record<'alice' | 'bob', Caller>[]
  /** Their bucket below `S3_PREFIX_DOCS`, for the commands. */
  store: ObjectStore
}

/** Performs the operations of one sequence by HTTP, and the commands on the store. */
export interface Performer {
  answerOf(operation: Operation): Promise<Answer>
}

/** Creates the performer of one sequence, which remembers what only the service decides: times and ETags of tags. */
export function performerOf({ callers, store }: Replicas, world: World): Performer {
  const createdAt = new Map<string, unknown>()
  const etags = new Map<string, string[]>()

  const as = ({ replica }: { replica: 0 | 1 }, by: 'alice' | 'bob' = 'alice'): Caller => {
    const caller = callers[replica]?.[by]
    if (!caller) throw new Error(`there is no replica ${replica}`)
    return caller
  }
  const pathTo = ({ tenant, name }: Target, rest = '') => `${pathOf(world.type, name, tenant)}${rest}`
  const versionPath = (at: Target, content: number, rest = '') =>
    pathTo(at, `/versions/${digestAt(world, content)}${rest}`)

  /** Returns a document without what the model cannot know, which must be as it was shown first. */
  function shown(document: unknown): Json {
    const { tenant, type, name, createdAt: at, ...rest } = document as Json
    const version = `${tenant} ${name} ${rest.digest}`
    const first = createdAt.get(version) ?? at
    createdAt.set(version, first)
    if (at !== first) throw new Error(`${version} was created ${first} and then ${at}`)
    if (type !== world.type) throw new Error(`${version} has the type ${type}`)
    return rest
  }

  async function accepted(at: Target, response: Response): Promise<Answer> {
    if (!response.ok) return { is: await refusalOf(response) }
    const { document, published, ...plain } = await jsonOf(response)
    const uploaded = (document ?? published ?? plain) as Json
    if (response.status === 201) createdAt.delete(`${at.tenant} ${at.name} ${uploaded.digest}`)
    return { is: String(response.status), document: shown(uploaded) }
  }

  async function put({
    content,
    digest,
    length,
    contentType,
    by,
    condition,
    ...at
  }: OperationOf<'put'>): Promise<Answer> {
    const bytes = world.bytes[content] ?? new Uint8Array()
    const declared = digest === 'wrong' ? otherDigest(world, content) : digestAt(world, content)
    const base64 = Buffer.from(declared.slice('sha256:'.length), 'hex').toString('base64')
    const response = await as(at, by)(pathTo(at), {
      method: 'PUT',
      body: length === 'declared' ? bytes : bytes.length === 0 ? chunked() : inChunks(bytes),
      headers: {
        'content-type': contentType,
        ...(digest === 'absent' ? {} : { 'repr-digest': `sha-256=:${base64}:` }),
        ...(condition === 'new' ? { 'if-none-match': '*' } : {}),
        ...(typeof condition === 'object' ? { 'if-match': `"${digestAt(world, condition.latest)}"` } : {}),
      },
    })
    return accepted(at, response)
  }

  async function get({ of, range, has, ...at }: OperationOf<'get'>): Promise<Answer> {
    const path = 'tag' in of ? `${pathTo(at)}?tag=${of.tag}` : versionPath(at, of.content)
    const headers = {
      ...(range ? { range: formatRange(byteRange(range)) } : {}),
      ...(has ? { 'if-none-match': `"${digestAt(world, 0)}"` } : {}),
    }
    const response = await as(at)(path, { headers })
    if (response.status >= 400) return { is: await refusalOf(response) }
    const digest = response.headers.get('etag')?.slice(1, -1)
    if (response.status === 304) return { is: '304', digest }
    const body = hashOf(new Uint8Array(await response.arrayBuffer()))
    const contentRange = response.headers.get('content-range')
    return { is: String(response.status), ...described(response), range: contentRange, body }
  }

  async function head({ of, ...at }: OperationOf<'head'>): Promise<Answer> {
    const path = 'tag' in of ? `${pathTo(at)}?tag=${of.tag}` : versionPath(at, of.content)
    const response = await as(at)(path, { method: 'HEAD' })
    return { is: String(response.status), ...(response.ok ? described(response) : {}) }
  }

  /** Reads all pages of a list from one replica after the other. */
  async function pages(at: Target, path: string, rows: 'documents' | 'names' | 'versions') {
    const all: Json[] = []
    let cursor: unknown = null
    do {
      const more = typeof cursor === 'string' ? `&cursor=${encodeURIComponent(cursor)}` : ''
      const replica = all.length % 2 === 0 ? at.replica : 0
      const response = await as({ replica })(`${path}${more}`)
      if (!response.ok) return { refusal: await refusalOf(response), all }
      const page = await jsonOf(response)
      all.push(...(page[rows] as Json[]))
      cursor = page.nextCursor
    } while (cursor !== null)
    return { refusal: null, all }
  }

  async function list({ by, limit, ...at }: OperationOf<'list'>): Promise<Answer> {
    const filter = by === 'type' ? '' : by === 'name' ? `&name=${at.name}` : `&namePrefix=${at.name}`
    const path = `/v1/tenants/${at.tenant}/documents?type=${world.type}&limit=${limit}${filter}`
    const { refusal, all } = await pages(at, path, 'documents')
    if (refusal) return { is: refusal }
    // In the store's order, and SeaweedFS takes each folder as a whole where one name begins with another.
    const rows = all.map(({ name, digest, size }) => ({ name, digest, size }))
    return {
      is: '200',
      rows: rows.sort((a, b) => (`${a.name}/${a.digest}` < `${b.name}/${b.digest}` ? -1 : 1)),
    }
  }

  async function listNames({ include, limit, ...at }: OperationOf<'list names'>): Promise<Answer> {
    const wanted = include === 'nothing' ? '' : `&include=${include}`
    const path = `/v1/tenants/${at.tenant}/documents/names?type=${world.type}&limit=${limit}${wanted}`
    const { refusal, all } = await pages(at, path, 'names')
    if (refusal) return { is: refusal }
    // A store may list a name for a while after its last version was deleted; it has no more than its name then.
    const isGone = ({ name, latest, tags }: Json) =>
      world.document({ ...at, name: name as Target['name'] }).digests().length === 0 &&
      (latest ?? null) === null &&
      (tags === undefined || (tags as Json[]).length === 0)
    const rows = all
      .filter((row) => !isGone(row))
      .map(({ name, latest, tags }) => ({
        name,
        ...(include === 'latest' && { latest: shown(latest) }),
        ...(include === 'tags' && { tags: (tags as Json[]).map(tagAndDigest) }),
      }))
    return { is: '200', rows: rows.sort(byName) }
  }

  async function listByTag({ tag, limit, ...at }: OperationOf<'list by tag'>): Promise<Answer> {
    const filter = `type=${world.type}&tag=${tag}&limit=${limit}`
    const { refusal, all } = await pages(at, `/v1/tenants/${at.tenant}/documents?${filter}`, 'documents')
    if (refusal) return { is: refusal }
    return { is: '200', rows: all.map((row) => ({ name: row.name, ...tagAndDigest(row) })).sort(byName) }
  }

  async function tagsOf(at: Target): Promise<Answer> {
    const response = await as(at)(pathTo(at, '/tags'))
    if (!response.ok) return { is: await refusalOf(response) }
    const { tags } = await jsonOf(response)
    return { is: '200', tags: (tags as Json[]).map(tagAndDigest) }
  }

  async function versions({ limit, ...at }: OperationOf<'versions'>): Promise<Answer> {
    const { refusal, all } = await pages(at, pathTo(at, `/versions?limit=${limit}`), 'versions')
    if (refusal) return { is: refusal }
    const byDigest = (a: Json, b: Json) => (String(a.digest) < String(b.digest) ? -1 : 1)
    return { is: '200', documents: all.map(shown).sort(byDigest) }
  }

  async function remove({ content, ...at }: OperationOf<'delete'>): Promise<Answer> {
    const response = await as(at)(versionPath(at, content), { method: 'DELETE' })
    if (response.ok) return { is: String(response.status) }
    const { tags } = await jsonOf(response.clone())
    return { is: await refusalOf(response), ...(Array.isArray(tags) ? { tags } : {}) }
  }

  /** Asks about contents of one document at once. */
  async function ask(at: Target & { contents: number[] }, call: string): Promise<Response> {
    const { name, contents } = at
    const documents = contents.map((content) => ({
      type: world.type,
      name,
      digest: digestAt(world, content),
    }))
    const path = `/v1/tenants/${at.tenant}/documents/${call}`
    return as(at)(path, { method: 'POST', ...jsonBody({ documents }) })
  }

  async function removeMany(operation: OperationOf<'delete many'>): Promise<Answer> {
    const response = await ask(operation, 'delete')
    if (!response.ok) return { is: await refusalOf(response) }
    const rows = (await jsonOf(response)).results as (Json & { problem?: Json })[]
    return {
      is: String(response.status),
      rows: rows.map(({ status, problem }) => answerOfRow(status, problem)),
    }
  }

  async function have(operation: OperationOf<'have'>): Promise<Answer> {
    const response = await ask(operation, 'have')
    if (!response.ok) return { is: await refusalOf(response) }
    const rows = (await jsonOf(response)).documents as Json[]
    return { is: String(response.status), present: rows.map(({ present }) => present) }
  }

  /** Follows a link, which needs no token, on the other replica. */
  async function follow({ replica }: Target, answer: Response): Promise<Response> {
    const { url } = await jsonOf(answer)
    return as({ replica: replica === 0 ? 1 : 0 })(String(url), { headers: { authorization: '' } })
  }

  /** Each file of an archive is read as what it is: the digests are those of the bytes. */
  async function archive(operation: OperationOf<'archive'>): Promise<Answer> {
    const asked = await ask(operation, operation.by === 'link' ? 'archives' : 'archive')
    const response = asked.status === 201 ? await follow(operation, asked) : asked
    if (!response.ok) {
      const { absent } = await jsonOf(response.clone())
      const missing = Array.isArray(absent) ? { absent: absent.map(({ digest }) => digest) } : {}
      return { is: await refusalOf(response), ...missing }
    }
    const [, ...files] = await filesIn(response)
    return { is: String(response.status), digests: files.map((bytes) => digestOf(bytes)) }
  }

  async function downloadMany(operation: OperationOf<'download many'>): Promise<Answer> {
    const response = await ask(operation, 'downloads')
    if (!response.ok) return { is: await refusalOf(response) }
    const rows = (await jsonOf(response)).downloads as (Json & { problem?: Json })[]
    const read = ({ url, problem }: (typeof rows)[number]) =>
      problem ? answerOfRow(undefined, problem) : bytesAt(url)
    return { is: String(response.status), rows: await Promise.all(rows.map(read)) }
  }

  async function readTag({ tag, ...at }: Target & { tag: string }): Promise<Answer> {
    const path = pathTo(at, `/tags/${tag}`)
    const response = await as(at)(path)
    if (!response.ok) return { is: await refusalOf(response) }
    const etag = response.headers.get('etag') ?? ''
    const seen = etags.get(path) ?? []
    // `latest` moves by itself, and the ETag of an upload's move is in no answer.
    if (tag !== 'latest' && seen.at(-1) !== etag)
      throw new Error(`${path} has the ETag ${etag}, and its last move had ${seen.at(-1)}`)
    etags.set(path, [...seen.filter((each) => each !== etag), etag])
    const { tag: named, digest } = await jsonOf(response)
    return { is: '200', tag: named, digest }
  }

  /** Returns `If-Match` for a condition; a tag that is absent has no ETag, so that of `current` matches nothing then. */
  async function conditionOf(
    path: string,
    at: Target,
    condition: Condition | 'new',
  ): Promise<Record<string, string>> {
    if (condition === 'none') return {}
    if (condition === 'new') return { 'if-none-match': '*' }
    if (condition === 'any') return { 'if-match': '*' }
    const { is } = await readTag({ ...at, tag: path.slice(path.lastIndexOf('/') + 1) })
    const seen = etags.get(path) ?? []
    const earlier = is === '200' ? seen.at(-2) : seen.at(-1)
    const current = is === '200' ? seen.at(-1) : undefined
    return { 'if-match': (condition === 'current' ? current : earlier) ?? '"never"' }
  }

  async function moveTag({ tag, content, condition, ...at }: OperationOf<'move tag'>): Promise<Answer> {
    const path = pathTo(at, `/tags/${tag}`)
    const conditions = await conditionOf(path, at, condition)
    const { body, headers } = jsonBody({ digest: digestAt(world, content) })
    const response = await as(at)(path, { method: 'PUT', body, headers: { ...headers, ...conditions } })
    if (!response.ok) return { is: await refusalOf(response) }
    const etag = response.headers.get('etag') ?? ''
    const seen = etags.get(path) ?? []
    if (seen.includes(etag)) throw new Error(`a move of ${path} has the ETag of an earlier one, ${etag}`)
    etags.set(path, [...seen, etag])
    const { tag: named, digest } = await jsonOf(response)
    return { is: String(response.status), tag: named, digest }
  }

  async function removeTag({ tag, condition, ...at }: OperationOf<'remove tag'>): Promise<Answer> {
    const path = pathTo(at, `/tags/${tag}`)
    const headers = await conditionOf(path, at, condition)
    const response = await as(at)(path, { method: 'DELETE', headers })
    return { is: response.ok ? String(response.status) : await refusalOf(response) }
  }

  async function askForTicket(operation: OperationOf<'ask for a ticket'>): Promise<Answer> {
    const { content, contentType, sends, ...at } = operation
    const bytes = world.bytes[content] ?? new Uint8Array()
    const [digest, size] = [digestAt(world, content), bytes.length]
    const asked = jsonBody({ digest, size, contentType })
    const response = await as(at)(pathTo(at, '/uploads'), { method: 'POST', ...asked })
    if (response.status !== 201) return accepted(at, response)
    const ticket = (await jsonOf(response)) as unknown as Ticket
    if (sends) {
      const sent = await sendTicket(ticket, bytes)
      if (!sent.ok) return { is: `201, and the store answered ${sent.status} ${await sent.text()}` }
    }
    const facts = { size, contentType, createdBy: 'alice' }
    world.tickets.push({ at, digest, facts, ticket, staged: sends, completed: false })
    return { is: sends ? '201, sent' : '201' }
  }

  async function complete(operation: OperationOf<'complete'>): Promise<Answer> {
    const held = ticketOf(world, operation)
    if (!held) return { is: 'no ticket' }
    const { at, ticket } = held
    const body = jsonBody({ ticket: ticket.ticket })
    const path = pathTo(at, `/uploads/${ticket.id}/complete`)
    return accepted(at, await as(operation)(path, { method: 'POST', ...body }))
  }

  async function download({ content, ...at }: OperationOf<'download'>): Promise<Answer> {
    const response = await as(at)(versionPath(at, content, '/downloads'), { method: 'POST' })
    if (!response.ok) return { is: await refusalOf(response) }
    const { url } = await jsonOf(response)
    return { ...(await bytesAt(url)), is: String(response.status) }
  }

  /** Applies a rule that keeps nothing because of its age; what it may remove is the caller's to judge. */
  async function retain({ tenant, keepNewest }: OperationOf<'retain'>): Promise<Answer> {
    const retention = createRetention(store)
    const rule = { type: world.type, keepDays: 0, keepNewest }
    for await (const { version } of retention.expired(rule, [tenant])) {
      await retention.remove(version, { by: 'retain', keepLatest: true })
    }
    return { is: 'done' }
  }

  return {
    answerOf(operation) {
      switch (operation.do) {
        case 'put':
          return put(operation)
        case 'get':
          return get(operation)
        case 'head':
          return head(operation)
        case 'list':
          return list(operation)
        case 'list names':
          return listNames(operation)
        case 'list by tag':
          return listByTag(operation)
        case 'tags':
          return tagsOf(operation)
        case 'versions':
          return versions(operation)
        case 'delete':
          return remove(operation)
        case 'delete many':
          return removeMany(operation)
        case 'have':
          return have(operation)
        case 'archive':
          return archive(operation)
        case 'read tag':
          return readTag(operation)
        case 'move tag':
          return moveTag(operation)
        case 'remove tag':
          return removeTag(operation)
        case 'ask for a ticket':
          return askForTicket(operation)
        case 'complete':
          return complete(operation)
        case 'download':
          return download(operation)
        case 'download many':
          return downloadMany(operation)
        case 'retain':
          return retain(operation)
        case 'sweep':
          return sweep(store).then(() => ({ is: 'done' }))
      }
    },
  }
}

/** Reads what a signed URL gives, as the answer to a call that gave this URL alone. */
async function bytesAt(url: unknown): Promise<Answer> {
  const bytes = await fetch(String(url))
  const contentType = bytes.headers.get('content-type')
  return { is: '201', contentType, body: hashOf(new Uint8Array(await bytes.arrayBuffer())) }
}

/** Returns the bytes of each file of a tar. */
async function filesIn(response: Response): Promise<Buffer[]> {
  const tar = extract()
  tar.end(Buffer.from(await response.arrayBuffer()))
  const files: Buffer[] = []
  for await (const entry of tar) files.push(Buffer.concat((await Array.fromAsync(entry)) as Uint8Array[]))
  return files
}

/** Returns what is said of one among others, as the answer to a call about it alone. */
function answerOfRow(status: unknown, problem: Json | undefined): Answer {
  if (!problem) return { is: String(status) }
  const { tags } = problem
  return { is: `${problem.status} ${problem.code}`, ...(Array.isArray(tags) ? { tags } : {}) }
}

/** Returns what the headers say about a version, after checking that they agree with each other. */
function described(response: Response): Omit<Answer, 'is'> {
  const { headers } = response
  const digest = headers.get('etag')?.slice(1, -1) ?? ''
  const reprDigest = `sha-256=:${Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')}:`
  if (headers.get('repr-digest') !== reprDigest) throw new Error(`Repr-Digest is not that of ${digest}`)
  return { digest, contentType: headers.get('content-type'), size: Number(headers.get('document-size')) }
}

function tagAndDigest({ tag, digest }: Json): { tag: unknown; digest: unknown } {
  return { tag, digest }
}

/** Compares for `sort`. Stores list folders whose names begin alike in orders of their own. */
function byName(one: { name: unknown }, other: { name: unknown }): number {
  return String(one.name) < String(other.name) ? -1 : 1
}
