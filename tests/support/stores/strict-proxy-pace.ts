import { Transform } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

const askMilliseconds = 20

/**
 * Passes bytes on no faster than `bytesPerSecondMax` says, at 0 none. It is asked again and again, so that a test
 * that lets go need not wait for the rest at the old pace.
 */
export function paced(bytesPerSecondMax: () => number | undefined): Transform {
  return new Transform({
    async transform(piece: Uint8Array, _encoding, passOn) {
      for (let passed = 0; passed < piece.length; ) {
        const pace = bytesPerSecondMax()
        if (pace === undefined) break
        await pause(askMilliseconds)
        passed += (pace * askMilliseconds) / 1000
      }
      passOn(null, piece)
    },
  })
}
