import { limits } from '../limits.ts'
import type { Logger } from '../telemetry/logger.ts'

/** The audit of requests without a valid token, which anyone can send as fast as the line allows. */
export interface Refusals {
  /**
   * Tells whether this refusal gets a line of its own: the first one of an address in each second does. The others are
   * counted, and so are all of further addresses once `limits.refusedAddressesMax` have been named in that second.
   *
   * @param rule which refused it, such as `token-missing`
   */
  isFirst(rule: string, clientAddress: string | undefined): boolean
  /** Writes what has been counted so far: once a second by itself, and at the end. */
  flush(): void
}

interface Counted {
  since: Date
  rules: Record<string, number>
}

/** Returns the count of refusals; `logger` gets a line per second and address that had more than one. */
export function createRefusals(logger: Logger): Refusals {
  let counted = new Map<string | undefined, Counted>()
  let ending: ReturnType<typeof setTimeout> | undefined

  function startSecond(): void {
    if (ending !== undefined) return
    ending = setTimeout(endSecond, 1000)
    ending.unref()
  }

  function endSecond(): void {
    clearTimeout(ending)
    ending = undefined
    const refused = counted
    counted = new Map()
    for (const [clientAddress, { since, rules }] of refused) {
      if (Object.keys(rules).length === 0) continue
      try {
        logger.auditRefusals({ clientAddress, since: since.toISOString(), rules })
      } catch {
        // Counted on until the audit can be written again; meanwhile requests with a token fail.
        counted.set(clientAddress, { since, rules })
        startSecond()
      }
    }
  }

  function countOf(clientAddress: string | undefined): { isNew: boolean; count: Counted } {
    const known = counted.get(clientAddress)
    if (known) return { isNew: false, count: known }
    if (clientAddress !== undefined && counted.size >= limits.refusedAddressesMax) return countOf(undefined)
    const count = { since: new Date(), rules: {} }
    counted.set(clientAddress, count)
    return { isNew: clientAddress !== undefined, count }
  }

  return {
    isFirst(rule, clientAddress) {
      startSecond()
      const { isNew, count } = countOf(clientAddress)
      if (isNew) return true
      count.rules[rule] = (count.rules[rule] ?? 0) + 1
      return false
    },
    flush: endSecond,
  }
}
