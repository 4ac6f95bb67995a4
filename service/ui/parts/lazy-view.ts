import { type ComponentType, lazy } from 'react'

const attemptsMax = 4
const pauseMs = 1_000

const loads: (() => Promise<unknown>)[] = []

/**
 * Returns a view whose program is loaded after that of the page. One that cannot be loaded, while the service restarts,
 * is tried again for 3 seconds.
 */
export function lazyView<Props>(load: () => Promise<ComponentType<Props>>) {
  loads.push(load)
  return lazy(async () => ({ default: await withRetries(load) }))
}

/** Loads all views: a tab that stays open longer than a version of the service is served would not find them later. */
export function preloadViews(): void {
  for (const load of loads) load().catch(() => undefined)
}

async function withRetries<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await load()
    } catch (error) {
      if (attempt === attemptsMax) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}
