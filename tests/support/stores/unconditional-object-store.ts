import type { ObjectStore } from '../../../service/object-store/object-store.ts'

/** Returns `store` as one that ignores every condition of a write, as RGW 16.2 does where it keeps versions. */
export function unconditional(store: ObjectStore): ObjectStore {
  return {
    ...store,
    put: (key, body, { condition: _, ...options }) => store.put(key, body, options),
    async copyAbsent(from, to, options) {
      const source = await store.head(from, options)
      if (!source) return 'changed'
      await store.copy(from, to, { ...options, ifMatch: source.etag })
      return 'copied'
    },
  }
}
