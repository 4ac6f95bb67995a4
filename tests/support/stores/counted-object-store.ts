import type { ObjectStore } from '../../../service/object-store/object-store.ts'

/** `store`, with each call to it noted in `calls` by the name of its method before it is made. */
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
