import { limits } from '../limits.ts'
import type { DocumentRef } from '../wire/names.ts'
import { recordKey } from './document-key.ts'
import { type DocumentRecord, type TagEntry, tagOf } from './document-record.ts'
import { inParallel } from './in-order.ts'
import type { Records } from './record-store.ts'
import { meets, type TagCondition } from './tag-condition.ts'

/** What a watch of a tag waits for. */
export interface TagWatch {
  /** What the caller knows: ETags that the tag may have; without it, that the tag does not exist. */
  known: TagCondition['ifNoneMatch']
  /** How long it waits, in seconds. */
  seconds: number
  signal?: AbortSignal | undefined
}

/** A tag, `undefined` if there is none, and whether that is other than the caller knows it. */
export interface Watched {
  entry: TagEntry | undefined
  isNews: boolean
}

/** Watches of tags on this replica, whichever replica moves them (ARCHITECTURE.md, "Following a tag"). */
export interface TagWatches {
  /**
   * Waits until a tag is other than the caller knows it, until the time is over, or until the replica stops.
   *
   * @throws the failure of the last read, if that failed; the reason of the signal
   */
  next(ref: DocumentRef, tag: string, watch: TagWatch): Promise<Watched>
  /** Ends all watches: this replica stops. From now on none waits. */
  end(): void
}

interface Watcher {
  see(record: DocumentRecord): void
  fail(error: unknown): void
  end(): void
}

interface WatchedDocument {
  ref: DocumentRef
  watchers: Set<Watcher>
}

/**
 * Returns the watches of a replica. The record of a document that is watched is read once in a while for all who watch it,
 * whatever their number: which is an answer without a body while nothing changes.
 *
 * @param options.sleep waits; default: by the system's timers.
 */
export function createTagWatches(
  records: Pick<Records, 'read'>,
  { sleep = Bun.sleep }: { sleep?: ((milliseconds: number) => Promise<void>) | undefined } = {},
): TagWatches {
  const watched = new Map<string, WatchedDocument>()
  let isLooking = false
  let isOver = false

  /** Looks at all that is watched, in rounds with a pause before each. */
  async function look(): Promise<void> {
    isLooking = true
    while (watched.size > 0) {
      await sleep(limits.watchRoundSeconds * 1000)
      await inParallel([...watched.values()], limits.callsPerRequestMax, async ({ ref, watchers }) => {
        if (watchers.size === 0) return
        try {
          const record = await records.read(ref)
          for (const watcher of watchers) watcher.see(record)
        } catch (error) {
          for (const watcher of watchers) watcher.fail(error)
        }
      })
    }
    isLooking = false
  }

  function watch(ref: DocumentRef, watcher: Watcher): () => void {
    const key = recordKey(ref)
    const document = watched.get(key) ?? { ref, watchers: new Set() }
    watched.set(key, document)
    document.watchers.add(watcher)
    if (!isLooking) void look()
    return () => {
      document.watchers.delete(watcher)
      if (document.watchers.size === 0) watched.delete(key)
    }
  }

  return {
    async next(ref, tag, { known, seconds, signal }) {
      let last = seenIn(await records.read(ref, signal))
      if (last.isNews || isOver) return last
      const { promise, resolve, reject } = Promise.withResolvers<Watched>()
      let failure: { error: unknown } | null = null
      const end = () => (failure ? reject(failure.error) : resolve(last))
      const stop = watch(ref, {
        see(record) {
          failure = null
          last = seenIn(record)
          if (last.isNews) resolve(last)
        },
        fail(error) {
          failure = { error }
        },
        end,
      })
      const timer = setTimeout(end, seconds * 1000)
      const abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      if (signal?.aborted) abort()
      try {
        return await promise
      } finally {
        stop()
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }

      function seenIn(record: DocumentRecord): Watched {
        const entry = tagOf(record, tag)
        return { entry, isNews: isNews(entry, known) }
      }
    },

    end() {
      isOver = true
      for (const { watchers } of watched.values()) for (const watcher of watchers) watcher.end()
    },
  }
}

/** Tells whether a tag, or its absence, is something that the caller does not know. */
function isNews(entry: TagEntry | undefined, known: TagCondition['ifNoneMatch']): boolean {
  if (!entry) return known !== undefined
  return meets(entry.id, { ifNoneMatch: known })
}
