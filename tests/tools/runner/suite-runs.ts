import { resolve } from 'node:path'
import { isTestStore, testStores } from '../../support/stores/store.ts'
import { takesSizes } from '../checks/test-rules.ts'
import type { RunStore, Suite } from '../suites.ts'
import type { NeedName } from './needs.ts'

const root = resolve(import.meta.dir, '../../..')

/** One process of `bun test`, and one line of the final table. */
export interface SuiteRun {
  suite: string
  store: RunStore
  /** Test files as paths below the root, ascending. */
  files: string[]
  needs: NeedName[]
  waits: boolean
}

const needsOfStores: Record<RunStore, readonly NeedName[]> = {
  none: [],
  memory: [],
  minio: ['minio'],
  'minio-tls': ['minio', 'openssl'],
  'ceph-rgw': ['rgw'],
  seaweedfs: ['pip'],
}

/**
 * Returns all runs of a suite: those without a store first, then one for each store.
 *
 * @param which `only`: only the runs on this store; `long`: the runs of `bun run test:long`, which has the files that take a size
 * or are in `onlyLong`, instead of those of `bun run test`. A suite without such files has no long runs.
 * @throws {Error} if `apart` or `onlyLong` names a file that does not exist.
 */
export async function runsOf(
  suite: Suite,
  { only, long = false }: { only?: RunStore | undefined; long?: boolean } = {},
): Promise<SuiteRun[]> {
  const all = await testFiles(suite.name)
  const pathOf = (name: string) => `tests/${suite.name}/${name}.test.ts`
  const apart = new Map(Object.entries(suite.apart ?? {}).map(([store, names]) => [store, names.map(pathOf)]))
  const onlyLong = (suite.onlyLong ?? []).map(pathOf)
  const missing = [...apart.values(), onlyLong].flat().filter((file) => !all.includes(file))
  if (missing.length > 0)
    throw new Error(`tests/tools/suites.ts names files that do not exist: ${missing.join(', ')}`)
  const belongs = long
    ? new Set([...onlyLong, ...(await takingSizes(all))])
    : new Set(all).difference(new Set(onlyLong))
  const everywhere = all.filter((file) => ![...apart.values()].flat().includes(file))
  const stores = storesOf(suite).filter((store) => only === undefined || store === only)
  const runs = stores.map((store) => ({
    suite: suite.name,
    store,
    files: [...(suite.stores.includes(store) ? everywhere : []), ...(apart.get(store) ?? [])]
      .filter((file) => belongs.has(file))
      .sort(),
    needs: [...suite.needs, ...needsOfStores[store]],
    waits: suite.waits ?? false,
  }))
  return long ? runs.filter(({ files }) => files.length > 0) : runs
}

function storesOf(suite: Suite): RunStore[] {
  const withoutServer = (['none', 'memory'] as const).filter((store) => suite.apart?.[store] !== undefined)
  return [...withoutServer, ...suite.stores]
}

/** Returns the name of a store in the final table. */
export function titleOf(store: RunStore): string {
  return isTestStore(store) ? testStores[store].title : store
}

/** Returns all test files of a suite as paths below the root, as reports name them; ascending. */
async function testFiles(suite: string): Promise<string[]> {
  const found = await Array.fromAsync(new Bun.Glob(`tests/${suite}/**/*.test.{ts,tsx}`).scan(root))
  return found.sort()
}

/** Returns the test files that are larger in a long run. */
async function takingSizes(files: string[]): Promise<string[]> {
  const read = async (path: string) => ({ path, text: await Bun.file(resolve(root, path)).text() })
  return (await Promise.all(files.map(read))).filter(takesSizes).map(({ path }) => path)
}
