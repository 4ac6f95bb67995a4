import { forEachParallel } from '../stores/bodies.ts'

/** What one round of a race ended with: `null` if all is as promised, otherwise what is not. */
export type Flaw = string | null

const roundsAtOnce = 6

/**
 * Runs a race again and again, each time with a document of its own, and prints how often it ended badly.
 *
 * @param round receives the name of its document, and from 0 on its number.
 * @returns how often which flaw was seen; nothing, if all is as promised.
 */
export async function raceOften(
  what: string,
  rounds: number,
  round: (name: string, at: number) => Promise<Flaw>,
): Promise<Record<string, number>> {
  const flaws: Record<string, number> = {}
  const marker = crypto.randomUUID()
  await forEachParallel(Array(rounds).keys(), roundsAtOnce, async (at) => {
    const flaw = await round(`race-${marker}-${at}`, at)
    if (flaw !== null) flaws[flaw] = (flaws[flaw] ?? 0) + 1
  })
  const bad = Object.values(flaws).reduce((sum, count) => sum + count, 0)
  console.log(`${what}: ${bad} of ${rounds} rounds ended badly ${bad > 0 ? JSON.stringify(flaws) : ''}`)
  return flaws
}
