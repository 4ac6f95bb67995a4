import type { ObjectStore } from '../../../service/object-store/object-store.ts'

/** Returns `store` with the name of each called method added to `calls` before the call is made. */
export function counted(store: ObjectStore, calls: string[]): ObjectStore {
  const noted = Object.entries(store).map(([name, method]) => [
    name,
    (...args: unknown[]) => {
      calls.push(name)
      return (method as (...args: unknown[]) => unknown)(...args)
    },
  ])
  return Object.fromEntries(noted) as ObjectStore
}
