import { runScriptJson, variablesOf } from '../commands/script-run.ts'
import type { Random } from '../seed.ts'
import { KiB, MiB } from '../service/sample-documents.ts'
import { contentOf, type DocumentHistory, newHistory } from './document-history.ts'
import { type HistoryClient, historyClient } from './history-client.ts'
import type { Replicas } from './replicas.ts'

/** The tags that clients move. */
export const movedTags = ['latest', 'production', 'staging']

/** How much is done to each document of a round. */
export interface RoundSize {
  documents: number
  clients: number
  operationsPerClient: number
}

/** What clients do, and how often in relation to each other. */
const weights = {
  upload: 5,
  uploadIfMatch: 2,
  uploadByTicket: 2,
  remove: 5,
  moveTag: 3,
  moveTagIfMatch: 2,
  removeTag: 1,
  readTag: 2,
  readByTag: 4,
  read: 2,
  list: 1,
} as const

const choices = Object.entries(weights).flatMap(([name, weight]) => Array(weight).fill(name)) as Choice[]
type Choice = keyof typeof weights

/**
 * Has clients work on a few documents that no one has used before, on all replicas at the same time, while a retention
 * rule runs on them.
 *
 * @param type of the documents; no other round has it.
 * @returns what was done to each document, once every request is answered or given up.
 */
export async function runRound(
  replicas: Replicas,
  random: Random,
  type: string,
  { documents, clients, operationsPerClient }: RoundSize,
): Promise<DocumentHistory[]> {
  const histories = Array.from({ length: documents }, (_, at) =>
    newHistory(`${type}/document-${at}`, contents()),
  )
  const workers = histories.flatMap((history) =>
    Array.from({ length: clients }, () => work(replicas, random, history, operationsPerClient)),
  )
  const retaining = random.chance(0.3) ? retain(replicas, type, histories) : undefined
  await Promise.all([...workers, retaining])
  return histories
}

/** One that is buffered, one that is read as a whole, and one that streams to its key if its digest is declared. */
function contents() {
  return [contentOf(KiB, 'text/plain'), contentOf(100 * KiB, 'text/x-log'), contentOf(1.2 * MiB, 'image/png')]
}

async function work(
  replicas: Replicas,
  random: Random,
  history: DocumentHistory,
  operations: number,
): Promise<void> {
  const known: Record<string, string> = {}
  for (let count = 0; count < operations; count += 1) {
    // Each upload has a subject of its own, which tells the first writer of a version from later ones.
    const by = `client-${crypto.randomUUID().slice(0, 8)}`
    const client = historyClient(history, random.pick(replicas.taking()).callAs(by), by)
    await step(client, { random, history, known, replicas, by })
  }
}

interface Step {
  random: Random
  history: DocumentHistory
  /** ETags of tags that this client has seen last. */
  known: Record<string, string>
  replicas: Replicas
  by: string
}

async function step(client: HistoryClient, { random, history, known, replicas, by }: Step): Promise<void> {
  const content = random.pick(history.contents)
  const tag = random.pick(movedTags)
  const note = (etag: string | undefined) => {
    if (etag !== undefined) known[tag] = etag
  }
  switch (random.pick(choices)) {
    case 'upload':
      return client.upload(content, random.pick(['declared', 'whole', 'chunked']))
    case 'uploadIfMatch': {
      const isFirst = random.chance(0.2)
      const ifLatest = isFirst ? 'absent' : [random.pick(history.contents).digest]
      return client.upload(content, random.pick(['declared', 'whole', 'chunked']), ifLatest)
    }
    case 'uploadByTicket': {
      const completers = random.chance(0.3) ? 2 : 1
      const callers = Array.from({ length: completers }, () => random.pick(replicas.taking()).callAs(by))
      return client.uploadByTicket(content, callers)
    }
    case 'remove':
      return client.remove(content.digest)
    case 'moveTag':
      return note(await client.moveTag(tag, content.digest))
    case 'moveTagIfMatch':
      return note(await client.moveTag(tag, content.digest, [known[tag] ?? 'never-seen']))
    case 'removeTag':
      return client.removeTag(random.pick(movedTags.slice(1)))
    case 'readTag':
      return note(await client.readTag(tag))
    case 'readByTag':
      return client.readByTag(tag)
    case 'read':
      return client.read(content.digest)
    case 'list':
      return client.list()
  }
}

/** Runs a retention rule over the documents as an operator does, and adds to their histories what it says it did. */
async function retain(
  replicas: Replicas,
  type: string,
  histories: readonly DocumentHistory[],
): Promise<void> {
  const rule = ['--type', type, '--keep-days', '0', '--keep-newest', '1', '--tenant', 'acme', '--apply']
  const start = performance.now()
  const { lines, exitCode } = await runScriptJson('retain', rule, variablesOf(replicas.outside.owner))
  const end = performance.now()
  for (const { path, contents, entries, flaws } of histories) {
    for (const { digest } of contents) {
      const line = lines.find((row) => row.event === 'version' && row.digest === digest)
      const operation = { kind: 'retain', digest } as const
      if (line?.fate === 'removed') entries.push({ operation, result: { code: 'ok' }, start, end })
      // A run that failed does not say what it has begun.
      else if (exitCode !== 0) entries.push({ operation, result: null, start, end: Infinity })
    }
    if (![0, 1, 3].includes(exitCode)) flaws.push(`retain ended with ${exitCode} over ${path}`)
  }
}
