const key = 'documents.tab'

/**
 * Whether this tab is the only one with its session storage. A tab that is duplicated gets a copy of it; a lock that
 * each tab holds while it lives tells the copy (https://www.w3.org/TR/web-locks/). Where there are no locks, it is
 * taken for the only one.
 */
export async function isOnlyTab(storage: Storage): Promise<boolean> {
  if (!navigator.locks) return true
  const held = await hold(storage.getItem(key) ?? named(storage))
  if (!held) await hold(named(storage))
  return held
}

/** Names whose locks this very tab holds. */
const ours = new Set<string>()

function named(storage: Storage): string {
  const name = `${key}.${crypto.randomUUID()}`
  storage.setItem(key, name)
  return name
}

function hold(name: string): Promise<boolean> {
  if (ours.has(name)) return Promise.resolve(true)
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      if (lock === null) return undefined
      ours.add(name)
      // Until the tab goes.
      return new Promise(() => undefined)
    })
  })
}
