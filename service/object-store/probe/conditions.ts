import type { Finding, FindingId } from './finding.ts'

const conditionRows: readonly FindingId[] = ['conditional-put', 'conditional-overwrite']

/**
 * Returns what is wrong with a store that does not decide between writers, and what to do, or `undefined`. With several
 * replicas documents and tags could be lost there. A row that was not answered says nothing.
 */
export function conditionsProblem(findings: readonly Finding[]): string | undefined {
  const missing = findings.filter(({ id, verdict }) => conditionRows.includes(id) && verdict === 'no')
  if (missing.length === 0) return undefined
  const found = missing.map(({ id, seen }) => `${id} (${seen})`).join(' and ')
  return (
    `The bucket does not honour conditions of writes: ${found}. Replicas could overwrite each other’s documents and tags. ` +
    'Use a bucket without versioning and object lock, or another store; or set SINGLE_REPLICA=true if this is the only ' +
    'process that writes to these documents.'
  )
}
