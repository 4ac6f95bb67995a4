import type { Random } from '../support/seed.ts'
import {
  complete,
  del,
  get,
  longWait,
  type Plan,
  read,
  readTag,
  retain,
  sweeping,
  tag,
  tagIf,
  tagNew,
  ticket,
  twoVersions,
  untag,
  untagIf,
  up,
  upFirst,
  upOver,
  type Wish,
} from './plan.ts'

/** What several clients do at once: schedules of these are chosen at random. */
export const mixes: readonly (readonly Wish[])[] = [
  [up('D'), up('D'), del('D')],
  [up('D'), del('D'), tag('stable', 'D')],
  [up('A'), del('A'), retain('A')],
  [up('B'), del('B'), get()],
  [up('s'), del('s'), up('s')],
  [up('s'), del('s'), complete('t1', 's')],
  [up('D'), up('E'), del('D'), del('E')],
  [up('A'), del('A'), up('D'), up('E')],
  [tag('stable', 'A'), del('A'), up('D'), up('E')],
  [up('A'), retain('A'), tag('stable', 'B'), tag('latest', 'B')],
  [del('A'), del('B'), up('C')],
  [del('A'), del('B'), get(), readTag('latest')],
  [del('D'), del('D'), up('D'), sweeping],
  [del('A'), up('A'), sweeping, tag('stable', 'A')],
  [up('C'), retain('A'), up('A'), sweeping],
  [retain('A'), retain('A'), up('A')],
  [retain('A'), tag('stable', 'A'), untag('stable')],
  [tag('stable', 'A'), del('A'), up('A'), untag('stable')],
  [tag('stable', 'A'), tag('stable', 'B'), del('A'), del('B')],
  [tag('stable', 'A'), tag('stable', 'B'), readTag('stable'), get('stable')],
  [tagIf('stable', 'A'), tagIf('stable', 'B'), readTag('stable')],
  [tagIf('stable', 'A'), untagIf('stable'), tag('stable', 'B')],
  [tagIf('latest', 'A'), up('D'), del('A')],
  [tag('latest', 'A'), up('D'), del('D'), readTag('latest')],
  [tag('latest', 'A'), del('B'), get(), read('B')],
  [complete('t1', 'D'), complete('t1', 'D'), del('D')],
  [complete('t1', 'D'), complete('t1', 'D'), del('D'), up('D')],
  [complete('t1', 'D'), complete('t2', 'D'), del('D')],
  [complete('t1', 'D'), up('D'), tag('stable', 'D')],
  [complete('t1', 'D'), complete('t1', 'D'), get(), sweeping],
  [complete('t1', 'D'), del('D'), sweeping, ticket('D')],
  [upOver('B', 'D'), upOver('B', 'E'), del('D')],
  [upOver('B', 'D'), del('B'), up('A')],
  [upOver('B', 's'), up('A'), read('s'), get()],
  [upOver('A', 'C'), up('A'), del('A'), sweeping],
  [upFirst('C'), upFirst('D'), upFirst('E')],
  [upFirst('A'), del('A'), del('B'), get()],
  [upFirst('s'), up('D'), del('D')],
  [tagNew('stable', 'A'), tagNew('stable', 'B'), untag('stable')],
  [tagNew('latest', 'A'), del('A'), del('B'), up('C')],
  [ticket('A'), del('A'), up('C')],
  [ticket('B'), retain('B'), del('B')],
]

/** What single operations the pairs are made of, of which all schedules are tried. */
export const singles: readonly Wish[] = [
  up('A'),
  up('D'),
  upOver('B', 'D'),
  upFirst('D'),
  ticket('A'),
  complete('t1', 'D'),
  del('A'),
  del('B'),
  del('D'),
  retain('A'),
  tag('stable', 'A'),
  tagIf('stable', 'B'),
  tagNew('canary', 'A'),
  tag('latest', 'A'),
  untag('stable'),
  get(),
  sweeping,
]

/** Beginnings of documents that a random schedule can have. */
const beginnings: readonly (readonly Wish[])[] = [
  twoVersions,
  [...twoVersions, tag('stable', 'B')],
  [...twoVersions, up('A')],
  [up('C'), del('C'), ...twoVersions],
  [up('A')],
  [],
]

/**
 * Returns the plan of a random schedule: on how many replicas, on which beginning, a mix or any three operations, all at once or
 * some of them in turn.
 */
export function randomPlan(random: Random): Plan {
  const any = () => random.pick([...singles, longWait])
  const operations = random.chance(0.6) ? random.pick(mixes) : [any(), any(), any()]
  const inTurnFrom = random.chance(0.7) ? operations.length : random.below(operations.length)
  return { before: random.pick(beginnings), operations, replicas: 1 + random.below(3), inTurnFrom }
}
