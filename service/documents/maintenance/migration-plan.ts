import type { ObjectStore } from '../../object-store/object-store.ts'
import { parseRecordKey, parseVersionKey } from '../document-key.ts'
import { parseOldTagKey } from './old-layout.ts'
import { keysOfSource } from './paired-keys.ts'
import { onSide } from './store-side.ts'

interface Amount {
  versions: number
  bytes: number
  records: number
  /** Tags of the layout before records. */
  oldTags: number
}

/** What a migration has to do, by the lists of both stores. */
export interface MigrationPlan {
  source: Amount
  /** The part of it that the target does not have. */
  missing: Amount
  /** Keys of the source that are none of these: they are not copied. */
  strange: string[]
}

/** Strange keys that are named at most. */
const strangeMax = 100

/** Lists both stores and returns what a migration would copy. @throws {SideError} */
export async function planMigration(
  source: ObjectStore,
  target: ObjectStore,
  { since = new Date(0), signal }: { since?: Date | undefined; signal?: AbortSignal | undefined } = {},
): Promise<MigrationPlan> {
  const nothing = () => ({ versions: 0, bytes: 0, records: 0, oldTags: 0 })
  const plan: MigrationPlan = { source: nothing(), missing: nothing(), strange: [] }
  const pairs = keysOfSource(onSide('source', source), onSide('target', target), { signal })
  for await (const { key, source: here, target: there } of pairs) {
    if (!here || here.lastModified < since) continue
    const amounts = there ? [plan.source] : [plan.source, plan.missing]
    if (parseVersionKey(key)) {
      for (const amount of amounts) {
        amount.versions += 1
        amount.bytes += here.size
      }
    } else if (parseRecordKey(key)) for (const amount of amounts) amount.records += 1
    else if (parseOldTagKey(key)) for (const amount of amounts) amount.oldTags += 1
    else if (plan.strange.length < strangeMax) plan.strange.push(key)
  }
  return plan
}
