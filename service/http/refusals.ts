import { limits } from '../limits.ts'
import type { Logger } from '../telemetry/logger.ts'

/** The audit of requests that clients can send as fast as the line allows: those that are refused at once. */
export interface Refusals {
  /**
   * Tells whether this refusal gets a line of its own: the first one of a sender in each second does. The others are
   * counted, and so are all of further senders once `limits.refusedSendersMax` have been named in that second.
   *
   * @param rule which refused it, such as `token-missing`
   * @param sender undefined if nothing is known of it
   */
  isFirst(rule: string, sender: RefusedSender | undefined): boolean
  /** Writes what has been counted so far: once a second by itself, and at the end. */
  flush(): void
}

/** Whose requests are counted together: those of an address without a valid token, or those of a subject in a tenant. */
export type RefusedSender = { clientAddress: string } | { tenant: string; subject: string }

interface Counted {
  sender: RefusedSender | undefined
  since: Date
  rules: Record<string, number>
}

/** Returns the count of refusals; `logger` gets a line per second and sender that had more than one. */
export function createRefusals(logger: Logger): Refusals {
  let counted = new Map<string, Counted>()
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
    for (const [key, count] of refused) {
      const { sender, since, rules } = count
      if (Object.keys(rules).length === 0) continue
      try {
        logger.auditRefusals({ ...sender, since: since.toISOString(), rules })
      } catch {
        // Counted on until the audit can be written again; meanwhile requests with a token fail.
        counted.set(key, count)
        startSecond()
      }
    }
  }

  function countOf(sender: RefusedSender | undefined): { isNew: boolean; count: Counted } {
    const key = sender ? Object.values(sender).join(' ') : ''
    const known = counted.get(key)
    if (known) return { isNew: false, count: known }
    if (sender && counted.size >= limits.refusedSendersMax) return countOf(undefined)
    const count = { sender, since: new Date(), rules: {} }
    counted.set(key, count)
    return { isNew: sender !== undefined, count }
  }

  return {
    isFirst(rule, sender) {
      startSecond()
      const { isNew, count } = countOf(sender)
      if (isNew) return true
      count.rules[rule] = (count.rules[rule] ?? 0) + 1
      return false
    },
    flush: endSecond,
  }
}
