import type { Random } from '../seed.ts'
import type { DocumentHistory } from './document-history.ts'
import type { Replicas } from './replicas.ts'
import { type RoundSize, runRound } from './workload.ts'

const roundSize: RoundSize = { documents: 3, clients: 4, operationsPerClient: 6 }

/** A round that has not ended by then waits for a replica that hangs; others begin meanwhile. */
const roundMilliseconds = 4000

/**
 * Runs rounds for some time, each on documents of its own, and waits until every request has ended.
 *
 * @returns the histories of all documents.
 */
export async function runHistories(
  replicas: Replicas,
  random: Random,
  seconds: number,
): Promise<DocumentHistory[]> {
  const end = performance.now() + seconds * 1000
  const marker = crypto.randomUUID().slice(0, 8)
  const rounds: Promise<DocumentHistory[]>[] = []
  while (performance.now() < end) {
    const round = runRound(replicas, random, `round-${marker}-${rounds.length}`, roundSize)
    rounds.push(round)
    await Promise.race([round, Bun.sleep(roundMilliseconds)])
  }
  return (await Promise.all(rounds)).flat()
}

/** Returns how many operations histories hold. */
export function operationsOf(histories: readonly DocumentHistory[]): number {
  return histories.reduce((sum, { entries }) => sum + entries.length, 0)
}

/** Returns a summary of histories as one line: how much was done, and how much of it is not known to have been. */
export function summaryOf(histories: readonly DocumentHistory[]): string {
  const entries = histories.flatMap((history) => history.entries)
  const unknown = entries.filter(({ result }) => result === null).length
  const longest = Math.max(0, ...histories.map((history) => history.longest)) / 1000
  return `${histories.length} documents, ${operationsOf(histories)} operations, ${unknown} of them without an answer that says what happened, the longest ${longest.toFixed(1)} s`
}
