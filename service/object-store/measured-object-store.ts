import { type ObjectStore, ObjectStoreError } from './object-store.ts'
import { observed } from './observed-object-store.ts'

/**
 * Told of every call that ended: with what (`ok`, the port's error code, or `aborted` where the caller gave up or
 * its own body failed), and after how many seconds. That of a `get` ends when its body begins.
 */
export type OnCall = (operation: string, outcome: string, seconds: number) => void

/** `store`, with every call to it timed. */
export function measured(store: ObjectStore, onCall: OnCall): ObjectStore {
  return observed(store, {
    async call(operation, _target, make) {
      const startedAt = performance.now()
      const end = (outcome: string) => onCall(operation, outcome, (performance.now() - startedAt) / 1000)
      try {
        const answer = await make()
        end('ok')
        return answer
      } catch (error) {
        end(error instanceof ObjectStoreError ? error.code : 'aborted')
        throw error
      }
    },
  })
}
