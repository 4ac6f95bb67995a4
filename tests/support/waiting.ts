import { isDeepStrictEqual } from 'node:util'

/** Catches what hangs, and is far above what a busy machine needs. */
const secondsMax = 120
const pollMilliseconds = 10

/**
 * Waits for an event: asks again and again until `look` finds something other than `undefined`, `null` or `false`.
 *
 * @param what completes "waited … for" in the error; default: the source of `look`.
 * @returns what `look` found.
 * @throws {Error} after 120 seconds, and whatever `look` throws.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string = String(look),
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + secondsMax * 1000
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false)
      return seen as Exclude<T, undefined | null | false>
    if (performance.now() > deadline) throw new Error(`waited ${secondsMax} seconds for ${what}`)
    await Bun.sleep(pollMilliseconds)
  }
}

/**
 * Waits until an answer is the expected one, compared deeply.
 *
 * @throws {Error} with the last answer after 120 seconds, and whatever `ask` throws.
 */
export async function eventually<Answer>(
  ask: () => Promise<Answer> | Answer,
  expected: Answer,
): Promise<void> {
  let answer: Answer | undefined
  const isExpected = async () => {
    answer = await ask()
    return isDeepStrictEqual(answer, expected)
  }
  await until(isExpected, JSON.stringify(expected)).catch((error: Error) => {
    throw new Error(`${error.message}; the last answer was ${JSON.stringify(answer)}`, { cause: error })
  })
}

/** Waits until what is stored next gets a later time: stores keep the time of an object in whole seconds. */
export async function nextStoreSecond(): Promise<void> {
  await Bun.sleep(1100)
}
