import { isDeepStrictEqual } from 'node:util'

const secondsMax = 10

/**
 * Asks again and again until the answer is the expected one: for what locators cannot wait for.
 *
 * @throws {Error} with the last answer if it never is.
 */
export async function eventually<Answer>(
  ask: () => Promise<Answer> | Answer,
  expected: Answer,
): Promise<void> {
  const deadline = performance.now() + secondsMax * 1000
  for (;;) {
    const answer = await ask()
    if (isDeepStrictEqual(answer, expected)) return
    if (performance.now() > deadline) {
      throw new Error(`after ${secondsMax} s: ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}`)
    }
    await Bun.sleep(25)
  }
}
