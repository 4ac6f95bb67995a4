const pollMilliseconds = 250

/**
 * Polls four times a second until there is a result.
 *
 * @param look returns `null` for "not yet".
 * @returns what `look` returned, or `null` if that took longer than `secondsMax`.
 * @throws the signal's reason once it aborts, and whatever `look` throws.
 */
export async function until<T>(
  secondsMax: number,
  look: () => Promise<T | null>,
  signal?: AbortSignal,
): Promise<T | null> {
  const deadline = performance.now() + secondsMax * 1000
  for (;;) {
    signal?.throwIfAborted()
    const found = await look()
    if (found !== null) return found
    if (performance.now() > deadline) return null
    await Bun.sleep(pollMilliseconds)
  }
}
