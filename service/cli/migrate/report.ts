import type { TagOutcome } from '../../documents/maintenance/copy-tag.ts'
import type { VersionOutcome } from '../../documents/maintenance/copy-version.ts'
import type { MigrationPlan } from '../../documents/maintenance/migration-plan.ts'
import { formatBytes, printJson, printLine } from '../output.ts'
import type { MigrationState, Problem } from './state.ts'

/** What goes to standard output: sentences, or with `json` one object per line. */
export interface MigrationReport {
  plan(plan: MigrationPlan, places: { from: string; to: string; dryRun: boolean }): Promise<void>
  /** Something that was not copied, and that people have to look at. */
  problem(problem: Problem): Promise<void>
  /** No problem and yet worth a line: the target keeps its own tag or metadata, or takes over another. */
  remark(outcome: VersionOutcome | TagOutcome): Promise<void>
  /** What would be copied, in a dry run. */
  wouldCopy(outcome: VersionOutcome | TagOutcome): Promise<void>
  progress(state: MigrationState): Promise<void>
  summary(state: MigrationState, end: { finished: boolean; dryRun: boolean }): Promise<void>
}

/** Returns the report for people, or for machines where `json` is true. */
export function createMigrationReport(json: boolean): MigrationReport {
  return json ? jsonReport : textReport
}

/** Returns the problem of an outcome that people have to look at; `null` for one that is as it should be. */
export function problemOf(outcome: VersionOutcome | TagOutcome): Problem | null {
  const { of: event, result, ref } = outcome
  if (!Object.hasOwn(whatIsWrong, result)) return null
  const { tenant, type, name } = ref
  const place = { event, result, tenant, type, name }
  if (outcome.of === 'version') {
    const { found } = outcome
    return { ...place, digest: outcome.ref.digest, ...(found === undefined ? {} : { found }) }
  }
  const digest = outcome.source?.digest
  return { ...place, tag: outcome.ref.tag, ...(digest === undefined ? {} : { digest }) }
}

/** Tells whether the two stores disagreed, without that being a problem. */
export function isRemarkable({ of: what, result }: VersionOutcome | TagOutcome): boolean {
  return result === 'kept' || (what === 'tag' && (result === 'dangling' || result === 'moved'))
}

const whatIsWrong: Record<string, string> = {
  differs: 'is in the target already, in another size: one of the two is damaged; left alone',
  damaged: 'is damaged in the source, and was not copied',
  unreadable: 'cannot be read from the source, and was not copied',
  unwritable: 'is not taken by the target',
  withheld: 'points to a version that could not be copied, and was not copied either',
  contended: 'is being moved in the target all the time, and was not copied',
}

const jsonReport: MigrationReport = {
  plan: ({ source, missing, strange }, places) =>
    printJson({ event: 'plan', ...places, source, missing, strange }),
  problem: (problem) => printJson(problem),
  remark: (outcome) => printJson(flat(outcome)),
  wouldCopy: (outcome) => printJson({ ...flat(outcome), result: 'would copy' }),
  progress: (state) => printJson({ event: 'progress', ...state.position, ...countsOf(state) }),
  summary: (state, end) =>
    printJson({ event: 'summary', ...end, ...countsOf(state), problems: state.problems.length }),
}

function flat(outcome: VersionOutcome | TagOutcome): object {
  const { of: event, ref, result } = outcome
  if (outcome.of === 'version') return { event, result, ...ref, size: outcome.size }
  return { event, result, ...ref, source: outcome.source, target: outcome.target }
}

function countsOf({ versions, tags, bytesCopied }: MigrationState): object {
  return { versions, tags, bytesCopied }
}

const textReport: MigrationReport = {
  async plan({ source, missing, strange }, { from, to, dryRun }) {
    await printLine(`from ${from}`)
    await printLine(`to   ${to}${dryRun ? ' (dry run: nothing is written)' : ''}`)
    const all = `${source.versions} versions (${formatBytes(source.bytes)}) and ${source.tags} tags`
    const lacking = `${missing.versions} versions (${formatBytes(missing.bytes)}) and ${missing.tags} tags`
    await printLine(`the source has ${all}; the target lacks ${lacking}; nothing is deleted there`)
    for (const key of strange) await printLine(`? ${key} is neither a version's nor a tag's key: it stays`)
  },

  problem: ({ tenant, type, name, digest = '', tag, result, found }) =>
    printLine(
      `✗ ${tenant} ${type}/${name} ${tag === undefined ? digest : `tag ${tag}`} ${whatIsWrong[result]}` +
        (found === undefined ? '' : `: it holds ${found}`),
    ),

  async remark(outcome) {
    const { tenant, type, name } = outcome.ref
    const head = `– ${tenant} ${type}/${name}`
    if (outcome.of === 'version') {
      return printLine(`${head} ${outcome.ref.digest} is in the target with metadata of its own: kept`)
    }
    const { source, target, result, ref } = outcome
    // Every upload moves `latest`: lines for each would hide the others.
    if (result === 'moved' && (ref.tag === 'latest' || source?.digest === target?.digest)) return
    const sentences: Record<string, string> = {
      dangling: `points to ${source?.digest}, which the source does not have: not copied`,
      kept: `is at ${target?.digest} since ${target?.movedAt} in the target: kept, not ${source?.digest} of ${source?.movedAt}`,
      moved: `is at ${source?.digest} since ${source?.movedAt} in the source: moved there from ${target?.digest}`,
    }
    await printLine(`${head} tag ${ref.tag} ${sentences[result]}`)
  },

  wouldCopy: (outcome) =>
    printLine(
      `+ ${outcome.ref.tenant} ${outcome.ref.type}/${outcome.ref.name} ` +
        (outcome.of === 'version'
          ? `${outcome.ref.digest} (${formatBytes(outcome.size)})`
          : `tag ${outcome.ref.tag} → ${outcome.source?.digest}`),
    ),

  async progress() {},

  async summary({ versions, tags, bytesCopied, problems }, { finished, dryRun }) {
    const mark = problems.length > 0 ? '✗' : finished ? '✓' : '?'
    const bytes = dryRun ? '' : ` (${formatBytes(bytesCopied)})`
    const parts = [`versions: ${listed(versions)}${bytes}`, `tags: ${listed(tags)}`]
    const end = `${problems.length} problems${finished ? '' : '; not finished'}${dryRun ? '; dry run' : ''}`
    await printLine(`${mark} ${parts.join('; ')}; ${end}`)
  },
}

function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([result, count]) => `${count} ${result}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
