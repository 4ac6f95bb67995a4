import { type ObjectStore, ObjectStoreError } from '../../../service/object-store/object-store.ts'

/** What becomes of one call whose answer is lost: whether the store acts on it, and what happens before the caller learns of it. */
export interface LostAnswer {
  acts: boolean
  before?: () => Promise<unknown>
}

/**
 * Returns `store`, which loses the answer of the next calls of one method, as many as there are in `lost`.
 *
 * @param matches which keys are meant; default: all.
 */
export function losingAnswers(
  store: ObjectStore,
  method: 'put' | 'deleteBefore',
  lost: LostAnswer[],
  matches: (key: string) => boolean = () => true,
): ObjectStore {
  const call = store[method] as (key: string, ...args: unknown[]) => Promise<unknown>
  return {
    ...store,
    [method]: async (key: string, ...args: unknown[]) => {
      const answer = matches(key) ? lost.shift() : undefined
      if (!answer) return call(key, ...args)
      if (answer.acts) await call(key, ...args)
      await answer.before?.()
      throw new ObjectStoreError('unavailable', method, 'ConnectionReset')
    },
  }
}
