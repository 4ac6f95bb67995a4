import { noAnswer, type ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, type Observation, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** What each racer wants to store. */
export const racersBodies = Array.from({ length: 8 }, (_, racer) => `racer ${racer}`)

/**
 * Sends many conditional writes at once, of which exactly one may win. RGW 16.2 answers 500 to losers of an If-Match:
 * they ask once more, as the service's client does, and must be refused then. At the end the winner's bytes must be
 * stored under `key`.
 *
 * @param attempt writes one of {@link racersBodies} under `key`.
 * @param seen before, without a race.
 */
export async function race(
  scratch: Pick<Scratch, 'get'>,
  key: string,
  attempt: (own: string) => Promise<ProbeAnswer>,
  seen: string,
): Promise<Observation> {
  const first = await Promise.all(racersBodies.map(attempt))
  const undecided = [...first.keys()].filter((racer) => !isDecided(first[racer]))
  const again = new Map(
    await Promise.all(
      undecided.map(async (racer) => [racer, await attempt(racersBodies[racer] ?? '')] as const),
    ),
  )
  const answers = first.map((answer, racer) => again.get(racer) ?? answer)
  const winners = [...answers.keys()].filter((racer) => accepted(answers[racer] ?? noAnswer))
  const got = await scratch.get(key)
  const kept = winners.some((racer) => got.text === racersBodies[racer])
  const asked = undecided.length === 0 ? '' : `, ${undecided.length} had to ask twice`
  return {
    verdict: raceVerdict(winners.length, kept, answers.every(isDecided) && accepted(got)),
    seen: `${seen}; ${racersBodies.length} racers: ${winners.length} won${asked}${kept ? '' : ', other bytes stayed'}`,
  }
}

function raceVerdict(winners: number, kept: boolean, decided: boolean): Observation['verdict'] {
  if (winners > 1) return 'no'
  if (!decided || winners === 0) return 'unknown'
  return kept ? 'yes' : 'no'
}

function isDecided(answer: ProbeAnswer = noAnswer): boolean {
  return accepted(answer) || refused(answer)
}
