import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningStore } from '../../compose/servers/running-store.ts'
import { isTestStore, storeEnvironment, type TestStore, testStores } from '../servers/store.ts'
import type { RunStore } from '../suites.ts'

/** The servers that the runner starts, each once, when the first suite needs it. */
export interface RunStores {
  /** Variables by which `storeForTests` in a suite finds the store. @throws {Error} if it does not come up. */
  environmentFor(store: RunStore): Promise<Record<string, string>>
  /** Stops all of them, and copies what they printed into the folder. */
  stop(printed: string): Promise<void>
}

export function createRunStores(): RunStores {
  const running = new Map<TestStore, RunningStore>()

  return {
    async environmentFor(name) {
      if (!isTestStore(name)) return {}
      const store = running.get(name) ?? (await testStores[name].start())
      running.set(name, store)
      return storeEnvironment(name, store)
    },

    async stop(printed) {
      for (const [name, store] of running) {
        await copyFile(store.logFile, join(printed, `${name}.log`))
        await store.stop()
      }
    },
  }
}
