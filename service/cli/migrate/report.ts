import type { Outcome } from '../../documents/maintenance/copy-record.ts'
import type { MigrationPlan } from '../../documents/maintenance/migration-plan.ts'
import type { Side } from '../../documents/maintenance/store-side.ts'
import { formatBytes, type Report } from '../output.ts'
import type { MigrationState, Problem } from './state.ts'

/** Returns the problem of an outcome that people have to look at; `null` for one that is as it should be. */
export function problemOf(outcome: Outcome): Problem | null {
  const { of: event, result, ref } = outcome
  if (!Object.hasOwn(whatIsWrong, result)) return null
  const { tenant, type, name } = ref
  const place = { event, result, tenant, type, name }
  if (outcome.of === 'record') return place
  if (outcome.of === 'version') {
    const { found, tags } = outcome
    const details = { ...(found === undefined ? {} : { found }), ...(tags === undefined ? {} : { tags }) }
    return { ...place, digest: outcome.ref.digest, ...details }
  }
  const digest = outcome.source?.digest
  return { ...place, tag: outcome.ref.tag, ...(digest === undefined ? {} : { digest }) }
}

/** Tells whether the two stores disagreed, without that being a problem. */
export function isRemarkable({ of: what, result }: Outcome): boolean {
  if (result === 'kept' || result === 'deleted') return true
  const ofTag = result === 'dangling' || result === 'moved'
  return what === 'tag' ? ofTag : result === 'left' || result === 'removed'
}

const whatIsWrong: Record<string, string> = {
  differs: 'is in the target already, in another size: one of the two is damaged; left alone',
  damaged: 'is damaged in the source, and was not copied',
  unreadable: 'cannot be read from the source, and was not copied',
  unwritable: 'is not taken by the target',
  withheld: 'points to a version that could not be copied, and was not copied either',
  exhausted: 'was not copied: the target has as many tags of this document as it may have',
  contended: 'is being changed in the target all the time, and its tags were not copied: run this again',
  busy: 'is being deleted in the target at the moment: run this again',
  tagged: 'is deleted in the source, and was not removed from the target, where a tag points to it',
  locked: 'is deleted in the source, and was not removed from the target, which has it locked',
}

const damagedRecord = 'is damaged in one of the stores, and no tags were copied: "scrub" says in which'

/** Prints what is to be copied, from where and to where. */
export function reportPlan(
  report: Report,
  { source, missing, strange }: MigrationPlan,
  places: { from: string; to: string; dryRun: boolean; removeDeleted: boolean },
): Promise<void> {
  const removal = places.removeDeleted
    ? 'what the source has deleted is removed there'
    : 'nothing is deleted there'
  return report(
    { event: 'plan', ...places, source, missing, strange },
    `from ${places.from}`,
    `to   ${places.to}${places.dryRun ? ' (dry run: nothing is written)' : ''}`,
    `the source has ${amountOf(source)}; the target lacks ${amountOf(missing)}; ${removal}`,
    ...strange.map((key) => `? ${key} is not a key of the service: it is not copied`),
  )
}

function amountOf({ versions, bytes, records, oldTags }: MigrationPlan['source']): string {
  const old = oldTags === 0 ? '' : ` and ${oldTags} tags of the old layout`
  return `${versions} versions (${formatBytes(bytes)}) and ${records} records${old}`
}

/** Prints something that was not copied, and that people have to look at. */
export function reportProblem(report: Report, problem: Problem): Promise<void> {
  const { event, tenant, type, name, digest, tag, result, found, tags } = problem
  const what = event === 'record' ? 'record' : tag === undefined ? digest : `tag ${tag}`
  const wrong = event === 'record' && result === 'damaged' ? damagedRecord : whatIsWrong[result]
  const more =
    found === undefined ? (tags === undefined ? '' : `: ${tags.join(', ')}`) : `: it holds ${found}`
  return report(problem, `✗ ${tenant} ${type}/${name} ${what} ${wrong}${more}`)
}

/** Prints what is no problem and yet worth a line: the target keeps its own tag or metadata, or takes over another. */
export function reportRemark(report: Report, outcome: Outcome): Promise<void> {
  const { tenant, type, name } = outcome.ref
  const head = `– ${tenant} ${type}/${name}`
  const event = eventOf(outcome)
  if (outcome.of === 'record') return report(event)
  if (outcome.of === 'version') {
    return report(event, `${head} ${outcome.ref.digest} ${ofVersions[outcome.result]}`)
  }
  const { source, target, result, ref } = outcome
  // Every upload moves `latest`: a line for each would hide the others.
  if (result === 'moved' && (ref.tag === 'latest' || source?.digest === target?.digest)) return report(event)
  const sentences: Record<string, string> = {
    dangling: `points to ${source?.digest}, which the source does not have: not copied`,
    deleted: `points to ${source?.digest}, which the target has deleted since: not copied`,
    kept: `is at ${target?.digest} since ${target?.movedAt} in the target: kept, not ${source?.digest} of ${source?.movedAt}`,
    moved: `is at ${source?.digest} since ${source?.movedAt} in the source: moved there from ${target?.digest}`,
  }
  return report(event, `${head} tag ${ref.tag} ${sentences[result]}`)
}

const ofVersions: Partial<Record<string, string>> = {
  kept: 'is in the target with metadata of its own: kept',
  deleted: 'was deleted from the target after it was stored in the source: not copied',
  left: 'was deleted from the source, and is still in the target: --delete removes it there',
  removed: 'was deleted from the source, and is removed from the target',
}

/** Prints what would be copied, in a dry run. */
export function reportWouldCopy(report: Report, outcome: Exclude<Outcome, { of: 'record' }>): Promise<void> {
  const { tenant, type, name } = outcome.ref
  const what =
    outcome.of === 'version'
      ? `${outcome.ref.digest} (${formatBytes(outcome.size)})`
      : `tag ${outcome.ref.tag} → ${outcome.source?.digest}`
  return report({ ...eventOf(outcome), result: 'would copy' }, `+ ${tenant} ${type}/${name} ${what}`)
}

/** Prints how far the migration has come, for machines. */
export function reportProgress(report: Report, { position, ...state }: MigrationState): Promise<void> {
  return report({ event: 'progress', ...position, ...countsOf(state) })
}

/** Versions of one side that a second count found, or did not find. */
export interface Miscount {
  side: Side
  versions: number
}

/** Prints what a second count does not confirm. */
export function reportMiscount(report: Report, { side, versions }: Miscount): Promise<void> {
  const what =
    side === 'source'
      ? `the listing of the source left out ${versions} versions`
      : `the target lists ${versions} versions fewer than were copied to it or found there`
  return report({ event: 'miscount', side, versions }, `✗ ${what}: run it again`)
}

/** Prints what all runs together did. */
export function reportSummary(
  report: Report,
  state: MigrationState,
  { finished, dryRun, miscounts }: { finished: boolean; dryRun: boolean; miscounts: readonly Miscount[] },
): Promise<void> {
  const { versions, tags, bytesCopied } = state
  const problems = state.problems.length + miscounts.length
  const mark = problems > 0 ? '✗' : finished ? '✓' : '?'
  const bytes = dryRun ? '' : ` (${formatBytes(bytesCopied)})`
  const end = `${problems} problems${finished ? '' : '; not finished'}${dryRun ? '; dry run' : ''}`
  return report(
    { event: 'summary', finished, dryRun, ...countsOf(state), problems },
    `${mark} versions: ${listed(versions)}${bytes}; tags: ${listed(tags)}; ${end}`,
  )
}

function eventOf(outcome: Outcome): object {
  const { of: event, ref, result } = outcome
  if (outcome.of === 'record') return { event, result, ...ref }
  if (outcome.of === 'version') return { event, result, ...ref, size: outcome.size }
  return { event, result, ...ref, source: outcome.source, target: outcome.target }
}

function countsOf({
  versions,
  tags,
  bytesCopied,
}: Pick<MigrationState, 'versions' | 'tags' | 'bytesCopied'>) {
  return { versions, tags, bytesCopied }
}

function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([result, count]) => `${count} ${result}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
