/**
 * Maps `items` with at most `parallelMax` calls under way; results keep the order of the items. The first
 * failure rejects, and nothing further is begun.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  parallelMax: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const remaining = items.entries()
  let failed = false
  async function work(): Promise<void> {
    for (const [at, item] of remaining) {
      if (failed) return
      try {
        results[at] = await map(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelMax, items.length) }, work))
  return results
}
