import { limits } from '../../limits.ts'
import { isTransient, ObjectStoreError } from '../../object-store/object-store.ts'
import { type ChunkReader, tap } from '../../object-store/tap.ts'
import { type ArchivedVersion, manifestPath, manifestText, withPaths } from '../../wire/archive.ts'
import type { VersionRef } from '../../wire/names.ts'
import { joined, tarEnd, tarHeader, tarPadding } from '../../wire/tar.ts'
import { versionsNotFound } from '../document-error.ts'
import type { Documents, OpenVersion } from '../documents.ts'

export interface ArchiveParts {
  /** Returns the size of each version in the store, in their order, and `null` for one that is absent. */
  sizesOf(refs: readonly VersionRef[], signal: AbortSignal | undefined): Promise<(number | null)[]>
  open: Documents['open']
}

type Entry = VersionRef & ArchivedVersion

/** Returns what makes archives (ARCHITECTURE.md, "How an archive is sent"). */
export function createArchives({ sizesOf, open }: ArchiveParts): Documents['archive'] {
  /** The answer has begun and cannot say "try again": so an opening is tried as often as a body is continued. */
  async function openPatiently(ref: VersionRef, signal: AbortSignal): Promise<OpenVersion> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await open(ref, { signal })
      } catch (error) {
        const mayRetry = error instanceof ObjectStoreError && isTransient(error)
        if (!mayRetry || tries >= limits.fruitlessReadsMax) throw error
      }
    }
  }

  async function* chunksOf(entries: readonly Entry[], signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    yield manifestOf(entries)
    for (const entry of entries) {
      const { tenant, type, name, digest, path, size } = entry
      const { body, size: found } = await openPatiently({ tenant, type, name, digest }, signal)
      const [header, padding] = [tarHeader(path, size), tarPadding(size)]
      if (body instanceof Uint8Array) {
        if (found !== size) throw sizeChanged()
        yield joined([header, body, padding])
        continue
      }
      if (found !== size) {
        await body.cancel()
        throw sizeChanged()
      }
      yield header
      yield* body
      // A chunk without bytes would be the last one of a chunked answer (RFC 9112 section 7.1).
      if (padding.byteLength > 0) yield padding
    }
    yield tarEnd
  }

  return async (refs, { signal, onBodyFailure } = {}) => {
    const sizes = await sizesOf(refs, signal)
    const absent = refs.filter((_, at) => sizes[at] === null)
    if (absent.length > 0) throw versionsNotFound(absent)
    const entries = withPaths(refs.map((ref, at) => ({ ...ref, size: sizes[at] ?? 0 })))
    const given = new AbortController()
    const chunks = chunksOf(entries, AbortSignal.any([given.signal, ...(signal ? [signal] : [])]))
    const reader: ChunkReader = {
      async read() {
        const { done = false, value } = await chunks.next()
        return done || !value ? { done: true } : { done: false, value }
      },
      async cancel(reason) {
        // Ends a call to the store that is under way; the body that is open between two reads ends with the generator.
        given.abort(reason)
        await chunks.return()
      },
    }
    return { size: sizeOf(entries), body: tap(reader, { onFailure: onBodyFailure }) }
  }
}

/** Damaged bytes were replaced since their size was announced. */
function sizeChanged(): Error {
  return new Error('a version has another size than when the archive was begun')
}

/** Returns the first file of an archive, with its header. */
function manifestOf(entries: readonly Entry[]): Uint8Array {
  const manifest = new TextEncoder().encode(manifestText(entries))
  const { byteLength: size } = manifest
  return joined([tarHeader(manifestPath, size), manifest, tarPadding(size)])
}

function sizeOf(entries: readonly Entry[]): number {
  const files = entries.map(
    ({ path, size }) => tarHeader(path, size).byteLength + size + tarPadding(size).byteLength,
  )
  return files.reduce((total, bytes) => total + bytes, manifestOf(entries).byteLength + tarEnd.byteLength)
}
