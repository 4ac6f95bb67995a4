import { type Static, Type } from '@sinclair/typebox'
import { UsageError } from '../command.ts'
import { readStateFile } from '../state-file.ts'

/** Something that was not copied, and why: people have to look at it. */
export const Problem = Type.Object({
  event: Type.Union([Type.Literal('version'), Type.Literal('tag'), Type.Literal('record')]),
  result: Type.String(),
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  digest: Type.Optional(Type.String()),
  tag: Type.Optional(Type.String()),
  found: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
})
export type Problem = Static<typeof Problem>

/** How many versions or tags came to which result. */
const Counts = Type.Record(Type.String(), Type.Integer())

/** How far a migration has come: what a later run needs to continue, and to report what all runs together did. */
export const MigrationState = Type.Object({
  /** Endpoints, buckets and prefixes of both: positions of another pair would skip what was never copied. */
  from: Type.String(),
  to: Type.String(),
  since: Type.String(),
  /** When the first run began, by the clock of the source: what was stored since may lie behind the position. */
  begunAt: Type.String(),
  position: Type.Object({
    phase: Type.Union([Type.Literal('versions'), Type.Literal('records')]),
    after: Type.String(),
  }),
  versions: Counts,
  tags: Counts,
  bytesCopied: Type.Integer(),
  /** What was copied beyond the position when a run stopped, by key: a later run finds it present and counts it as this. */
  ahead: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.Literal('copied'), Type.Literal('moved')])),
  ),
  problems: Type.Array(Problem),
})
export type MigrationState = Static<typeof MigrationState>

/** A state as it was kept before records: tags were objects, and `latest` came last. */
const OldState = Type.Composite([
  Type.Omit(MigrationState, ['position']),
  Type.Object({
    position: Type.Object({
      phase: Type.Union([Type.Literal('tags'), Type.Literal('latest')]),
      after: Type.String(),
    }),
  }),
])

/** What a state file belongs to: both places, and `--since` (empty for none). */
export type MigrationScope = Pick<MigrationState, 'from' | 'to' | 'since'>

/** Returns the state of a migration that has copied nothing yet. */
export function initialState(scope: MigrationScope, begunAt: Date): MigrationState {
  const position = { phase: 'versions', after: '' } as const
  const nothing = { versions: {}, tags: {}, bytesCopied: 0, problems: [] }
  return { ...scope, begunAt: begunAt.toISOString(), position, ...nothing }
}

/** Tells whether an earlier run has got past the beginning. */
export function isResumed({ position }: MigrationState): boolean {
  return position.phase !== 'versions' || position.after !== ''
}

/**
 * Returns what an earlier run of the same scope has left; `null` where there is none.
 *
 * @throws {UsageError} for a file that is no state, or the state of another scope.
 */
export async function readMigrationState(
  file: string,
  scope: MigrationScope,
): Promise<MigrationState | null> {
  const read = await readStateFile(file, Type.Union([MigrationState, OldState]))
  if (read === null) return null
  const state = isOld(read) ? { ...read, position: { phase: 'records', after: '' } as const, tags: {} } : read
  const { from, to, since } = state
  if (Bun.deepEquals({ from, to, since }, scope)) return state
  const ofOld = since === '' ? '' : ` since ${since}`
  throw new UsageError(`the state file belongs to ${from} → ${to}${ofOld}: choose another file`)
}

/** The versions of such a migration are copied; its tags are merged again, which is safe. */
function isOld(state: MigrationState | Static<typeof OldState>): state is Static<typeof OldState> {
  return state.position.phase === 'tags' || state.position.phase === 'latest'
}
