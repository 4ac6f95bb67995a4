import { describe, expect, it } from 'bun:test'
import { createSenderPace } from '../../../../service/documents/sender-pace.ts'

const pace = { idleSecondsMax: 20, periodSeconds: 30, bytesPerSecondMin: 100, secondsMax: 3600 }

/** A sender on a clock of the test's own, looked at once a second. */
function sender() {
  let seconds = 0
  const one = createSenderPace(pace, () => seconds * 1000)
  return {
    /** Waits for so many bytes for so many seconds. @returns why it is given up meanwhile, if it is */
    sends(bytes: number, duration: number): string | null {
      one.waiting()
      for (let passed = 0; passed < duration; passed += 1) {
        seconds += 1
        const fault = one.fault()
        if (fault) return fault.message
      }
      one.received(bytes)
      return null
    },
    /** The service does something else. */
    busyFor(duration: number): string | null {
      seconds += duration
      return one.fault()?.message ?? null
    },
    recent: () => one.recent,
  }
}

describe('the sender of a body', () => {
  it('may pause, and is given up when it is silent for too long', () => {
    const { sends } = sender()
    expect(sends(10_000, 19)).toBe(null)
    expect(sends(10_000, 19)).toBe(null)
    expect(sends(1, 21)).toContain('Nothing was received for 20 seconds')
  })

  it('is given up when it trickles, however much it sent before', () => {
    const { sends } = sender()
    expect(sends(1_000_000, 30)).toContain('Nothing')
    const other = sender()
    expect(other.sends(10_000_000, 1)).toBe(null)
    let refused: string | null = null
    let secondsTaken = 1
    while (refused === null && secondsTaken < 100) {
      refused = other.sends(99, 1)
      secondsTaken += 1
    }
    expect(refused).toContain('Fewer than 100 bytes per second')
    expect(secondsTaken).toBeLessThanOrEqual(2 * pace.periodSeconds + 1)
  })

  it('is not given up for what the service does between its reads', () => {
    const { sends, busyFor } = sender()
    expect(sends(1, 1)).toBe(null)
    expect(busyFor(300)).toBe(null)
    expect(sends(1, 1)).toBe(null)
  })

  it('is given up at the deadline for the whole, however fast it is', () => {
    const { sends, busyFor } = sender()
    for (let minute = 1; minute < 60; minute += 1) {
      for (let part = 0; part < 6; part += 1) expect(sends(1_000_000, 10)).toBe(null)
    }
    expect(busyFor(60)).toContain('not complete after 3600 seconds')
  })

  it('counts as fast while it is not waited for', () => {
    const { sends, busyFor, recent } = sender()
    expect(recent()).toBe(Number.POSITIVE_INFINITY)
    sends(1000, 1)
    sends(0, 1)
    expect(recent()).toBe(1000)
    busyFor(1)
    busyFor(1)
    expect(recent()).toBe(Number.POSITIVE_INFINITY)
  })
})
