import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningStore } from '../../../compose/servers/running-store.ts'
import { isTestStore, storeEnvironment, type TestStore, testStores } from '../../support/stores/store.ts'
import type { RunStore } from '../suites.ts'

/** The object stores that the runner starts, each once, when the first suite needs it. */
export interface RunStores {
  /** Returns the variables by which `storeForTests` finds the store. @throws {Error} if it does not start. */
  environmentFor(store: RunStore): Promise<Record<string, string>>
  /** Stops all of them and copies their logs into the folder. */
  stop(printed: string): Promise<void>
}

/** Creates the object stores of one run; none is started yet. */
export function createRunStores(): RunStores {
  // Kept as promises: two lanes may ask for one store at the same time.
  const running = new Map<TestStore, Promise<RunningStore>>()

  return {
    async environmentFor(name) {
      if (!isTestStore(name)) return {}
      const starting = running.get(name) ?? testStores[name].start()
      running.set(name, starting)
      return storeEnvironment(name, await starting)
    },

    async stop(printed) {
      for (const [name, starting] of running) {
        // A store that did not start has failed its suites already.
        const store = await starting.catch(() => null)
        if (store === null) continue
        await copyFile(store.logFile, join(printed, `${name}.log`))
        await store.stop()
      }
    },
  }
}
