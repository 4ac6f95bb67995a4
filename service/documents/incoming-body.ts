import { limits } from '../limits.ts'
import { tap } from '../object-store/tap.ts'
import type { Digest } from '../wire/names.ts'
import { DocumentError, digestMismatch, tooLarge } from './document-error.ts'
import { digestOfHex } from './document-key.ts'
import { createSenderPace, type PaceLimits } from './sender-pace.ts'

/** The body of an upload: counted and hashed as it is read, given up when it is too slow. */
export interface IncomingBody {
  /** Bytes read so far. */
  readonly bytesRead: number
  /** Aborts when the body is given up or its sender disconnects. */
  readonly signal: AbortSignal
  /**
   * Returns the next chunk, or `null` at the end.
   *
   * @throws {DocumentError} `document_too_large` at the first byte too many; `body_incomplete` if the sender
   *   is too slow, stops or disconnects.
   */
  read(): Promise<Uint8Array | null>
  /** Waits for the next bytes, which are still to be read, and returns how many have arrived; 0 at the end. */
  peek(): Promise<number>
  /** Fills `target` from its start. Returns the number of bytes, less than its length only at the end. */
  readInto(target: Uint8Array): Promise<number>
  /** Reads and hashes the rest. */
  drain(): Promise<void>
  /** Returns the rest as a stream that calls `onEnd` before it ends, and fails with what that throws. */
  stream(onEnd: () => void): ReadableStream<Uint8Array>
  /**
   * Returns the digest of all bytes; only after the end.
   *
   * @throws {DocumentError} `digest_mismatch` if another one was declared
   */
  digest(declared?: Digest): Digest
  /** How fast the sender was in the last second, in bytes per second. */
  rate(): number
  /** Breaks the body off: whatever reads it fails. */
  giveUp(reason: DocumentError): void
  /** Stops the timer, and cancels the source if it was not read to its end. */
  close(): void
}

export interface IncomingOptions {
  bytesMax: number
  /** Declared size; a body that ends before it is incomplete. */
  size?: number | undefined
  /** Of the request. */
  signal: AbortSignal
  /** What is left out is as `limits` say. */
  pace?: Partial<UploadPace> | undefined
  /** Makes the reason for which the body is given up if there is no answer `answerSecondsMax` after its end. */
  late?: ((secondsMax: number) => DocumentError) | undefined
}

/** How slow an upload may be. */
export interface UploadPace extends PaceLimits {
  /** How long the service may take from the end of the body to its answer. */
  answerSecondsMax: number
}

const defaultPace: UploadPace = {
  answerSecondsMax: limits.uploadAnswerSecondsMax,
  idleSecondsMax: limits.uploadIdleSecondsMax,
  periodSeconds: limits.uploadPeriodSeconds,
  bytesPerSecondMin: limits.uploadBytesPerSecondMin,
  secondsMax: limits.uploadSecondsMax,
}

/** Opens a body; the caller closes it. */
export function openIncomingBody(source: ReadableStream<Uint8Array>, options: IncomingOptions): IncomingBody {
  const { bytesMax, size, late = storeStalled } = options
  const paceLimits = { ...defaultPace, ...options.pace }
  const { idleSecondsMax, periodSeconds, answerSecondsMax } = paceLimits
  const pace = createSenderPace(paceLimits)
  const reader = source.getReader()
  const hasher = new Bun.CryptoHasher('sha256')
  const stalled = new AbortController()
  const signal = AbortSignal.any([options.signal, stalled.signal])
  let bytesRead = 0
  let pendingReads = 0
  let lastMove = performance.now()
  let ended = false
  let leftover: Uint8Array = emptyBytes
  let hex: string | null = null

  function giveUp(reason: DocumentError): void {
    stalled.abort(reason)
    reader.cancel(reason).catch(() => {})
  }

  const watch = setInterval(
    () => {
      if (stalled.signal.aborted) return
      const stillSeconds = (performance.now() - lastMove) / 1000
      if (ended) {
        if (stillSeconds >= answerSecondsMax) giveUp(late(answerSecondsMax))
        return
      }
      const fault = pace.fault()
      if (fault) return giveUp(fault)
      // No read is pending while the store is busy.
      if (pendingReads === 0 && stillSeconds >= limits.storeTransferSecondsMax) giveUp(storeStalled())
    },
    Math.min(1000, 250 * Math.min(idleSecondsMax, periodSeconds, answerSecondsMax)),
  )

  async function fromSource(): Promise<Uint8Array | null> {
    stalled.signal.throwIfAborted()
    pendingReads += 1
    pace.waiting()
    let received = 0
    try {
      const { done, value } = await reader.read()
      stalled.signal.throwIfAborted()
      received = value?.byteLength ?? 0
      if (!done) return value
    } catch (error) {
      throw error instanceof DocumentError ? error : gone(error)
    } finally {
      pendingReads -= 1
      pace.received(received)
      lastMove = performance.now()
    }
    if (options.signal.aborted || (size !== undefined && bytesRead < size)) throw gone(options.signal.reason)
    ended = true
    return null
  }

  async function read(): Promise<Uint8Array | null> {
    if (leftover.byteLength > 0) {
      const chunk = leftover
      leftover = emptyBytes
      return chunk
    }
    const chunk = ended ? null : await fromSource()
    if (chunk === null) return null
    bytesRead += chunk.byteLength
    if (bytesRead > bytesMax) throw tooLarge(bytesMax)
    hasher.update(chunk)
    return chunk
  }

  return {
    signal,
    get bytesRead() {
      return bytesRead
    },
    read,
    giveUp,
    rate: () => pace.recent,

    async peek() {
      // A chunk may be empty.
      while (leftover.byteLength === 0) {
        const chunk = await read()
        if (chunk === null) return 0
        leftover = chunk
      }
      return leftover.byteLength
    },

    async readInto(target) {
      let filled = 0
      while (filled < target.byteLength) {
        const chunk = await read()
        if (chunk === null) break
        const taken = Math.min(chunk.byteLength, target.byteLength - filled)
        target.set(chunk.subarray(0, taken), filled)
        filled += taken
        leftover = chunk.subarray(taken)
      }
      return filled
    },

    async drain() {
      while ((await read()) !== null) {}
    },

    stream(onEnd) {
      const readChunk = async () => {
        const value = (await read()) ?? undefined
        return { done: value === undefined, value }
      }
      return tap({ read: readChunk, cancel: async () => {} }, { onEnd })
    },

    digest(declared) {
      if (!ended) throw new Error('digest of a body that was not read to its end')
      hex ??= hasher.digest('hex')
      const found = digestOfHex(hex)
      if (declared !== undefined && declared !== found) throw digestMismatch(declared, found)
      return found
    },

    close() {
      clearInterval(watch)
      if (!ended) reader.cancel().catch(() => {})
    },
  }
}

const emptyBytes = new Uint8Array(0)

function gone(cause: unknown): DocumentError {
  return new DocumentError(
    'body_incomplete',
    'The body ended before it was complete. Send it again.',
    {},
    { cause },
  )
}

function storeStalled(): DocumentError {
  return new DocumentError(
    'store_unavailable',
    'The object store took no data for too long. Try again later.',
  )
}
