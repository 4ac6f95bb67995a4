import { type Static, Type } from '@sinclair/typebox'
import { readStateFile, StateFileError } from '../state-file.ts'

/** Something that was not copied, and why; what people have to look at. */
export const Problem = Type.Object({
  event: Type.Union([Type.Literal('version'), Type.Literal('tag')]),
  result: Type.String(),
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  digest: Type.Optional(Type.String()),
  tag: Type.Optional(Type.String()),
  found: Type.Optional(Type.String()),
})
export type Problem = Static<typeof Problem>

/** How many versions or tags came to which result. */
const Counts = Type.Record(Type.String(), Type.Integer())

/** How far a migration has come: what a later run needs to go on, and to say what all of it together did. */
export const MigrationState = Type.Object({
  /** Endpoints, buckets and prefixes of both: positions of another pair would skip what was never copied. */
  from: Type.String(),
  to: Type.String(),
  since: Type.String(),
  /** When the first run began, by the clock of the source: what was stored since may lie behind the position. */
  begunAt: Type.String(),
  position: Type.Object({
    phase: Type.Union([Type.Literal('versions'), Type.Literal('tags'), Type.Literal('latest')]),
    after: Type.String(),
  }),
  versions: Counts,
  tags: Counts,
  bytesCopied: Type.Integer(),
  problems: Type.Array(Problem),
})
export type MigrationState = Static<typeof MigrationState>

export type Journey = Pick<MigrationState, 'from' | 'to' | 'since'>

export function beginning(journey: Journey, begunAt: Date): MigrationState {
  const position = { phase: 'versions', after: '' } as const
  const nothing = { versions: {}, tags: {}, bytesCopied: 0, problems: [] }
  return { ...journey, begunAt: begunAt.toISOString(), position, ...nothing }
}

/** Whether an earlier run has left something behind it. */
export function isResumed({ position }: MigrationState): boolean {
  return position.phase !== 'versions' || position.after !== ''
}

/**
 * What an earlier run of the same journey has left; `null` where there is none.
 *
 * @throws {StateFileError} for a file that is no state, or that of another journey.
 */
export async function readMigrationState(file: string, journey: Journey): Promise<MigrationState | null> {
  const state = await readStateFile(file, MigrationState)
  if (state === null) return null
  const { from, to, since } = state
  if (Bun.deepEquals({ from, to, since }, journey)) return state
  const ofOld = since === '' ? '' : ` since ${since}`
  throw new StateFileError(`the state file belongs to ${from} → ${to}${ofOld}: take another file`)
}
