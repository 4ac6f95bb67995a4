export interface InOrderOptions {
  /** Calls under way at once. */
  parallelMax: number
  /**
   * Items that may be under way, waiting, or done and not yet taken: until then a slow item delays no others.
   * Default: all.
   */
  aheadMax?: number
}

/**
 * Maps `items` with a bounded number of calls under way and yields the results in the order of the items. After the
 * first failure nothing further is begun; it is thrown when its turn comes, once all that is under way has ended.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  { parallelMax, aheadMax = Number.POSITIVE_INFINITY }: InOrderOptions,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const ahead: Promise<{ result: Result } | null>[] = []
  const waiting: (() => void)[] = []
  let free = parallelMax
  let failure: { error: unknown } | null = null

  /** @returns `null` once something has failed. */
  async function take(item: Item): Promise<{ result: Result } | null> {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return failure === null ? { result: await map(item) } : null
    } catch (error) {
      failure ??= { error }
      return null
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }

  async function takeFirst(): Promise<Result> {
    const taken = await ahead.shift()
    if (taken) return taken.result
    await Promise.all(ahead)
    throw failure?.error
  }

  try {
    for await (const item of items) {
      ahead.push(take(item))
      if (ahead.length >= aheadMax) yield await takeFirst()
    }
    while (ahead.length > 0) yield await takeFirst()
  } finally {
    // A consumer that stops early starts nothing more and leaves nothing running.
    failure ??= { error: null }
    await Promise.all(ahead)
  }
}

/** Maps `items` with at most `parallelMax` calls under way and returns the results in the order of the items. */
export function inParallel<Item, Result>(
  items: Iterable<Item>,
  parallelMax: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  return Array.fromAsync(inOrder(items, { parallelMax }, map))
}
