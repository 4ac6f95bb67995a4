import {
  type ArchivedVersion,
  archiveSizeHeader,
  manifestPath,
  manifestText,
  withPaths,
} from '../wire/archive.ts'
import { plainHeaderBytes, sizeIn, tarEnd, tarHeader, tarPadding } from '../wire/tar.ts'
import { jsonMembers, membersOf } from './answers.ts'
import { type NamedVersion, namedVersions } from './batches.ts'
import type { DownloadUrl } from './direct-download.ts'
import { type CallIds, DigestMismatchError, ProtocolError } from './errors.ts'
import type { OnProgress } from './progress.ts'
import { createSha256 } from './sha256.ts'
import type { Answer, Send } from './transport.ts'
import { type BodyCheck, bodyCheck, checkedStream } from './verified-stream.ts'

export interface ArchiveOptions {
  /** Called with the bytes received so far, including those that are not verified yet. */
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

export interface ArchiveDownload {
  /** Bytes of `stream`. */
  sizeBytes: number
  /** Read it to its end or cancel it: until then it holds a connection. */
  stream: ReadableStream<Uint8Array>
}

/** See `DocumentsClient.archive`. */
export async function archive(
  send: Send,
  items: readonly NamedVersion[],
  { onProgress, signal }: ArchiveOptions,
): Promise<ArchiveDownload> {
  const asked = namedVersions(items)
  const answer = await askFor(send, '/archive', asked, signal)
  const { ids, failure, response } = answer
  const sizeBytes = announcedSize(answer)
  const onBytes = onProgress && ((bytes: number) => onProgress({ bytes, totalBytes: sizeBytes }))
  const size = bodyCheck({ digest: null, sizeBytes, ids, onBytes })
  const content = archiveCheck(ids, asked)
  const check: BodyCheck = {
    chunk(bytes) {
      size.chunk(bytes)
      content.chunk(bytes)
    },
    end() {
      size.end()
      content.end()
    },
  }
  const reader = (response.body ?? new Blob([]).stream()).getReader()
  const read = () =>
    reader.read().catch((error) => {
      throw failure(error)
    })
  return { sizeBytes, stream: checkedStream({ read, cancel: (reason) => reader.cancel(reason) }, check) }
}

/** See `DocumentsClient.archiveLink`. */
export async function archiveLink(
  send: Send,
  serviceUrl: string,
  items: readonly NamedVersion[],
  signal: AbortSignal | undefined,
): Promise<DownloadUrl> {
  const answer = await askFor(send, '/archives', items, signal)
  const members = await jsonMembers(answer)
  const path = members.text('url')
  if (!path.startsWith('/')) throw new ProtocolError('The answer has no usable link.', answer.ids)
  const { href } = new URL(serviceUrl)
  return { url: href.replace(/\/$/, '') + path, expiresAt: members.text('expiresAt') }
}

/**
 * Reads an archive from anywhere, such as a file that was saved, and checks all of it: the manifest, every header, and the
 * bytes of each version against its digest.
 *
 * @returns what the manifest names
 * @throws {DigestMismatchError} for other bytes
 * @throws {ProtocolError} if it is no archive of documents, or not a whole one
 */
export async function checkArchive(stream: ReadableStream<Uint8Array>): Promise<ArchivedVersion[]> {
  const check = archiveCheck({ correlationId: '', traceId: '' }, null)
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      check.chunk(value)
    }
    check.end()
  } catch (error) {
    reader.cancel(error).catch(() => undefined)
    throw error
  }
  return check.versions()
}

function askFor(
  send: Send,
  path: '/archive' | '/archives',
  items: readonly NamedVersion[],
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return send({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
    body: JSON.stringify({ documents: namedVersions(items) }),
    signal,
  })
}

function announcedSize({ response, ids }: Answer): number {
  const text = response.headers.get(archiveSizeHeader)
  if (text !== null && /^\d{1,16}$/.test(text)) return Number(text)
  response.body?.cancel().catch(() => undefined)
  throw new ProtocolError('The answer names no size of the archive.', ids)
}

/** What comes next in an archive. */
interface Part {
  sizeBytes: number
  /** Receives its bytes, in pieces. @throws if they are not the expected ones */
  take(bytes: Uint8Array): void
}

/** A manifest of a thousand versions with the longest names has less. */
const manifestBytesMax = 1024 * 1024

/**
 * Checks an archive while it passes. All of it but the bytes of the versions is known beforehand or follows from the
 * manifest, and is compared byte by byte.
 *
 * @param asked what the archive has to hold, `null` for whatever its manifest names.
 */
function archiveCheck(
  ids: CallIds,
  asked: readonly NamedVersion[] | null,
): BodyCheck & { versions(): ArchivedVersion[] } {
  let versions: ArchivedVersion[] = []
  const parts = partsOf()
  let part: Part | undefined
  let leftBytes = 0

  function* partsOf(): Generator<Part, void> {
    const header = collected(plainHeaderBytes)
    yield header
    const size = sizeIn(header.bytes)
    if (size === null || size > manifestBytesMax) throw unexpected(ids)
    exactly(tarHeader(manifestPath, size), ids).take(header.bytes)
    const manifest = collected(size)
    yield manifest
    versions = versionsIn(new TextDecoder().decode(manifest.bytes), asked, ids)
    yield exactly(tarPadding(size), ids)
    for (const { path, size, digest } of versions) {
      yield exactly(tarHeader(path, size), ids)
      const hash = createSha256()
      yield { sizeBytes: size, take: (bytes) => hash.update(bytes) }
      const actual = hash.digest()
      if (actual !== digest) throw new DigestMismatchError(digest, actual, ids)
      yield exactly(tarPadding(size), ids)
    }
    yield exactly(tarEnd, ids)
  }

  /** Goes to the next part that has bytes. @returns `undefined` at the end of the archive */
  function nextPart(): Part | undefined {
    while (leftBytes === 0) {
      const { done, value } = parts.next()
      if (done) return undefined
      part = value
      leftBytes = value.sizeBytes
    }
    return part
  }

  return {
    chunk(bytes) {
      for (let rest = bytes; rest.length > 0; ) {
        const next = nextPart()
        if (!next) throw unexpected(ids)
        const taken = rest.subarray(0, leftBytes)
        next.take(taken)
        leftBytes -= taken.length
        rest = rest.subarray(taken.length)
      }
    },
    end() {
      if (nextPart()) throw new ProtocolError('The archive ends too early.', ids)
    },
    versions: () => versions,
  }
}

function collected(sizeBytes: number): Part & { bytes: Uint8Array } {
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  return {
    sizeBytes,
    bytes,
    take(piece) {
      bytes.set(piece, at)
      at += piece.length
    },
  }
}

/** @throws {ProtocolError} from `take`, for other bytes */
function exactly(expected: Uint8Array, ids: CallIds): Part {
  let at = 0
  return {
    sizeBytes: expected.length,
    take(piece) {
      if (!piece.every((byte, place) => byte === expected[at + place])) throw unexpected(ids)
      at += piece.length
    },
  }
}

/** Reads a manifest. @throws {ProtocolError} if it is not the one of these very versions */
function versionsIn(text: string, asked: readonly NamedVersion[] | null, ids: CallIds): ArchivedVersion[] {
  const rows = membersOf(text, ids).list('documents')
  const versions = withPaths(
    rows.map((row) => ({
      type: row.text('type'),
      name: row.text('name'),
      digest: row.digest('digest'),
      size: row.count('size'),
    })),
  )
  const isAbout = (version?: NamedVersion, item?: NamedVersion) =>
    version?.type === item?.type && version?.name === item?.name && version?.digest === item?.digest
  const isAsked =
    !asked || (asked.length === versions.length && asked.every((item, at) => isAbout(versions[at], item)))
  if (!isAsked || manifestText(versions) !== text) throw unexpected(ids)
  return versions
}

function unexpected(ids: CallIds): ProtocolError {
  return new ProtocolError('The archive holds something else than it should.', ids)
}
