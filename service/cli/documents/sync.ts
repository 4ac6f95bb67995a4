import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { DocumentsClient } from '../../client/client.ts'
import { ConnectionError, ProblemError } from '../../client/errors.ts'
import { createSha256 } from '../../client/sha256.ts'
import { inParallel } from '../../documents/in-order.ts'
import { type Digest, isDocumentName, latestTag } from '../../wire/names.ts'
import { IncompleteError, LocalFailure, UsageError } from '../command.ts'
import { createReport, failureSentence, formatBytes, printable, type Report } from '../output.ts'
import { sourceOf } from './put.ts'
import { parseTypeFilter } from './reference.ts'
import { saveWhole } from './save.ts'

export interface SyncFlags {
  up?: boolean
  down?: boolean
  delete?: boolean
  dryRun?: boolean
  json?: boolean
}

/** A folder, and the documents that it corresponds to: the name of each is the prefix and the path of its file. */
interface Sides {
  folder: string
  type: string
  prefix: string
}

/** What one name comes to. */
interface Step {
  kind: 'upload' | 'download' | 'removeDocument' | 'removeFile' | 'same' | 'keepDocument' | 'keepFile'
  name: string
  file: string
  size: number
  /** Of the document that is there, if it is. */
  digest: Digest | undefined
}

/** Documents under way at once: enough for small ones, and little memory for large ones. */
const stepsMax = 4
/** What one page of names with their versions has at most, and what one call removes. */
const pageRowsMax = 100

type When = 'done' | 'planned'

/** What is said of each step that changes something. */
const verbs = {
  upload: { done: 'uploaded', planned: 'to upload', failed: 'not uploaded' },
  download: { done: 'downloaded', planned: 'to download', failed: 'not downloaded' },
  removeDocument: { done: 'removed', planned: 'to remove', failed: 'not removed' },
  removeFile: { done: 'removed', planned: 'to remove', failed: 'not removed' },
} as const

/** What the summary says of so many steps of a kind. */
const summaries: Record<Step['kind'], (count: number, when: When) => string> = {
  upload: (count, when) => `${count} ${verbs.upload[when]}`,
  download: (count, when) => `${count} ${verbs.download[when]}`,
  removeDocument: (count, when) => `${counted(count, 'document')} ${verbs.removeDocument[when]}`,
  removeFile: (count, when) => `${counted(count, 'file')} ${verbs.removeFile[when]}`,
  same: (count) => `${count} the same`,
  keepDocument: (count) => `${counted(count, 'document')} without a file`,
  keepFile: (count) => `${counted(count, 'file')} without a document`,
}

/**
 * Makes the documents of a type like the files of a folder (`up`), or the files like the documents (`down`). Only what
 * differs is sent, by its SHA-256. Nothing is removed without `delete`.
 */
export async function syncFolder(
  client: DocumentsClient,
  { folder, filter }: { folder: string; filter: string },
  flags: SyncFlags,
  signal: AbortSignal,
): Promise<void> {
  if (flags.up === flags.down) throw new UsageError('give --up or --down')
  const { type, namePrefix: prefix = '' } = parseTypeFilter(filter)
  const sides = { folder, type, prefix }
  const report = createReport(flags.json)
  const steps = await plan(client, sides, flags, signal)
  const failures = flags.dryRun ? [] : await carryOut(client, { sides, steps, report }, signal)
  if (flags.dryRun) for (const step of steps) await reportStep(report, 'planned', sides, step)
  const failed = new Set(failures.map(({ step }) => step))
  await reportSummary(report, flags.dryRun ? 'planned' : 'done', steps, failed)
  if (failures.length === 0) return
  const message = `${failures.length} of ${steps.length} names could not be brought up to date`
  const mayHelp = failures.every(({ error }) => error instanceof ProblemError && error.status === 503)
  throw mayHelp ? new IncompleteError(message) : new LocalFailure(message)
}

/** Returns what has to be done, by name. @throws {LocalFailure} for files that cannot be documents, or to remove everything */
async function plan(
  client: DocumentsClient,
  sides: Sides,
  flags: SyncFlags,
  signal: AbortSignal,
): Promise<Step[]> {
  const up = flags.up === true
  const files = await filesIn(sides, { strict: up })
  const documents = await documentsOf(client, sides, signal)
  const [source, target] = up ? [files, documents] : [documents, files]
  if (flags.delete && source.size === 0 && target.size > 0)
    throw new LocalFailure(
      `nothing would be left: ${up ? 'the folder has no files' : 'there are no documents'}`,
    )
  const names = [...new Set([...files.keys(), ...documents.keys()])].sort()
  return inParallel(names, stepsMax, async (name) => {
    signal.throwIfAborted()
    const [size, document] = [files.get(name), documents.get(name)]
    const file = join(sides.folder, name.slice(sides.prefix.length))
    const step = { name, file, size: (up ? size : document?.size) ?? 0, digest: document?.digest }
    if (size !== undefined && document) {
      const isSame = size === document.size && (await digestOfFile(file)) === document.digest
      return { ...step, kind: isSame ? 'same' : up ? 'upload' : 'download' }
    }
    if (source.has(name)) return { ...step, kind: up ? 'upload' : 'download' }
    if (flags.delete) return { ...step, kind: up ? 'removeDocument' : 'removeFile' }
    return { ...step, kind: up ? 'keepDocument' : 'keepFile' }
  })
}

/**
 * Returns the size of each file below the folder by the name of its document.
 *
 * @param options.strict refuses files whose paths make no names, such as those in folders; otherwise they are left alone.
 */
async function filesIn(
  { folder, prefix }: Sides,
  { strict }: { strict: boolean },
): Promise<Map<string, number>> {
  const files = new Map<string, number>()
  const others: string[] = []
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (!strict && error.code === 'ENOENT') return []
    throw new LocalFailure(`${folder} cannot be read: ${error.code ?? 'unknown'}`)
  })
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const file = join(entry.parentPath, entry.name)
    const path = relative(folder, file)
    const found = await stat(file).catch(() => null)
    if (found?.isFile() && isDocumentName(`${prefix}${path}`)) files.set(`${prefix}${path}`, found.size)
    else others.push(file)
  }
  if (!strict || others.length === 0) return files
  const lines = others.toSorted().map((file) => `  ${file}`)
  throw new LocalFailure(
    ['nothing was sent, because these paths are no names of documents:', ...lines].join('\n'),
  )
}

/** Returns the latest version of each document by its name. @throws {LocalFailure} for names that make no names of files */
async function documentsOf(client: DocumentsClient, { type, prefix }: Sides, signal: AbortSignal) {
  const documents = new Map<string, { digest: Digest; size: number }>()
  const namePrefix = prefix === '' ? undefined : prefix
  for await (const row of client.names({ type, namePrefix, include: 'latest', limit: pageRowsMax, signal })) {
    // `null` was deleted while the page was made.
    if (row.latest) documents.set(row.name, { digest: row.latest.digest, size: row.latest.size })
  }
  const others = [...documents.keys()].filter((name) => ['', '.', '..'].includes(name.slice(prefix.length)))
  if (others.length === 0) return documents
  throw new LocalFailure(`no file can have the name of these documents: ${others.toSorted().join(', ')}`)
}

async function digestOfFile(file: string): Promise<Digest> {
  const hash = createSha256()
  for await (const chunk of Bun.file(file).stream()) hash.update(chunk)
  return hash.digest()
}

interface Failure {
  step: Step
  error: unknown
}

/** Carries all steps out, whatever becomes of the others. @throws what would make all others fail as well */
async function carryOut(
  client: DocumentsClient,
  { sides, steps, report }: { sides: Sides; steps: readonly Step[]; report: Report },
  signal: AbortSignal,
): Promise<Failure[]> {
  const failures: Failure[] = []
  if (steps.some(({ kind }) => kind === 'download')) await mkdir(sides.folder, { recursive: true })
  const changing = steps.filter(({ kind }) => changes(kind))
  await inParallel(changing, stepsMax, async (step) => {
    try {
      signal.throwIfAborted()
      await carryOutOne(client, sides, step, signal)
    } catch (error) {
      const sentence = error instanceof LocalFailure ? error.message : failureSentence(error)
      if (signal.aborted || sentence === null || isForAll(error)) throw error
      failures.push({ step, error })
      const verb = changes(step.kind) ? verbs[step.kind].failed : ''
      process.stderr.write(`${verb}: ${printable(`${textOf(sides, step)}: ${sentence}`)}\n`)
      return
    }
    await reportStep(report, 'done', sides, step)
  })
  return failures
}

function isForAll(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    (error instanceof ProblemError && (error.status === 401 || error.status === 403))
  )
}

async function carryOutOne(
  client: DocumentsClient,
  { type }: Sides,
  { kind, name, file, digest }: Step,
  signal: AbortSignal,
): Promise<void> {
  const ref = { type, name }
  if (kind === 'upload') await client.put(ref, await sourceOf(file), { signal })
  if (kind === 'download' && digest)
    await saveWhole(file, { force: true }, () => client.get({ ...ref, digest }, { signal }))
  if (kind === 'removeFile') await rm(file)
  if (kind === 'removeDocument') await removeDocument(client, ref, signal)
}

/**
 * Removes all versions of a document, or none if it has a tag that keeps one.
 *
 * @throws {LocalFailure} for such a tag
 * @throws {ProblemError} of the first version that cannot be removed for another reason; others are gone
 */
async function removeDocument(
  client: DocumentsClient,
  ref: { type: string; name: string },
  signal: AbortSignal,
): Promise<void> {
  const tags = (await client.tags(ref, { signal })).filter(({ tag }) => tag !== latestTag)
  if (tags.length > 0)
    throw new LocalFailure(`it has the tags ${tags.map(({ tag }) => tag).join(', ')}: remove them first`)
  const versions = await Array.fromAsync(client.list({ ...ref, limit: 1000, signal }))
  for (let first = 0; first < versions.length; first += pageRowsMax) {
    const results = await client.deleteMany(versions.slice(first, first + pageRowsMax), { signal })
    const refused = results.find(({ error }) => error !== null)
    if (refused?.error) throw refused.error
  }
}

async function reportStep(report: Report, when: When, sides: Sides, step: Step): Promise<void> {
  const { kind, name, size, file } = step
  if (!changes(kind)) return
  const bytes = kind === 'upload' || kind === 'download' ? ` (${formatBytes(size)})` : ''
  const event = { [when]: kind, type: sides.type, name, file }
  await report(event, `${verbs[kind][when]}: ${textOf(sides, step)}${bytes}`)
}

async function reportSummary(
  report: Report,
  when: When,
  steps: readonly Step[],
  failed: ReadonlySet<Step>,
): Promise<void> {
  const kinds = Object.keys(summaries) as Step['kind'][]
  const counts = kinds.map((kind) => {
    const count = steps.filter((step) => step.kind === kind && !failed.has(step)).length
    return [kind, count] as const
  })
  const parts = counts.filter(([, count]) => count > 0).map(([kind, count]) => summaries[kind](count, when))
  if (failed.size > 0) parts.push(`${failed.size} failed`)
  const summary = { ...Object.fromEntries(counts), failed: failed.size }
  await report({ summary }, parts.join(', ') || 'nothing to do')
}

function changes(kind: Step['kind']): kind is keyof typeof verbs {
  return kind in verbs
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`
}

/** A file that is removed is called by its path, and everything else by its document. */
function textOf({ type }: Sides, { kind, name, file }: Step): string {
  return kind === 'removeFile' ? file : `${type}/${name}`
}
