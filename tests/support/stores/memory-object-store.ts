import { setTimeout as pause } from 'node:timers/promises'
import {
  type CallOptions,
  type CopyAbsentOptions,
  type CopyOptions,
  type DeleteBeforeOptions,
  type GetOptions,
  type GetWholeOptions,
  type HeadOptions,
  type ListOptions,
  type ListPage,
  type ListPrefixesOptions,
  type MultipartOptions,
  type MultipartUpload,
  type ObjectBody,
  type ObjectBytes,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
  type PrefixPage,
  type PutOptions,
  type PutResult,
  type UnfinishedUpload,
} from '../../../service/object-store/object-store.ts'
import type { ByteRange } from '../../../service/wire/byte-range.ts'

/** S3 "multipart upload limits": every part but the last. */
const partBytesMin = 5 * 1024 * 1024
/** About what one read of a socket gives, so that callers meet bodies of several chunks here too. */
const chunkBytes = 64 * 1024

interface StoredObject {
  bytes: Uint8Array
  etag: string
  contentType: string
  metadata: Readonly<Record<string, string>>
  lastModified: Date
}

interface PendingUpload {
  key: string
  contentType: string
  startedAt: Date
  parts: Uint8Array[]
}

/**
 * Creates the object store port in memory, for tests only. It follows the port, and S3 where the port leaves something open:
 * ETags are the MD5 of the bytes, or of the parts' MD5s with their number (`<md5>-<n>`), and times are whole
 * seconds, which is all that S3 promises.
 *
 * @param options.now the store's clock; the system's by default
 * @param options.delay what every call waits for first; one turn of the event loop by default
 */
export function createMemoryObjectStore(
  options: { now?: () => Date; delay?: () => Promise<void> } = {},
): ObjectStore {
  const { now = () => new Date(), delay = () => pause(0) } = options
  const store = new MemoryObjectStore(now, delay)
  // A plain object, so that a test can replace one method: { ...store, get: … }.
  return {
    put: (key, body, putOptions) => store.put(key, body, putOptions),
    get: (key, getOptions) => store.get(key, getOptions),
    getWhole: (key, wholeOptions) => store.getWhole(key, wholeOptions),
    head: (key, callOptions) => store.head(key, callOptions),
    copy: (from, to, copyOptions) => store.copy(from, to, copyOptions),
    copyAbsent: (from, to, copyOptions) => store.copyAbsent(from, to, copyOptions),
    list: (listOptions) => store.list(listOptions),
    listPrefixes: (listOptions) => store.listPrefixes(listOptions),
    delete: (key, callOptions) => store.delete(key, callOptions),
    deleteBefore: (key, deleteOptions) => store.deleteBefore(key, deleteOptions),
    startMultipart: (key, multipartOptions) => store.startMultipart(key, multipartOptions),
    listUnfinished: (prefix, callOptions) => store.listUnfinished(prefix, callOptions),
    abortUnfinished: (key, uploadId, callOptions) => store.abortUnfinished(key, uploadId, callOptions),
    clock: (callOptions) => store.clock(callOptions),
  }
}

class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, PendingUpload>()
  /** All keys in the order of their bytes, until one is added or removed. */
  #sortedKeys: readonly string[] | null = null
  readonly #now: () => Date
  readonly #delay: () => Promise<void>

  constructor(now: () => Date, delay: () => Promise<void>) {
    this.#now = now
    this.#delay = delay
  }

  async put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<PutResult | null> {
    await this.#answer('put', key, options)
    const bytes = await readExactly(body, options)
    if (options.sha256 !== undefined && options.sha256 !== hashOf('sha256', bytes)) {
      throw new ObjectStoreError('rejected', 'put', 'XAmzContentChecksumMismatch')
    }
    // No await between the look at the condition and the write: this is what makes it atomic.
    if (!this.#holds(key, options.condition)) return null
    return this.#write(key, bytes, md5(bytes), options.contentType, options.metadata)
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody | null> {
    await this.#answer('get', key, options)
    const object = this.#objects.get(key)
    if (object === undefined) return null
    if (options.ifMatch !== undefined && options.ifMatch !== object.etag) {
      throw new ObjectStoreError('precondition_failed', 'get', 'PreconditionFailed')
    }
    const range = options.range === undefined ? null : satisfy(options.range, object.bytes.length)
    const bytes = range === null ? object.bytes : object.bytes.subarray(range.first, range.last + 1)
    return { ...describe(key, object), range, body: streamOf(bytes, options.signal) }
  }

  async getWhole(
    key: string,
    options: GetWholeOptions,
  ): Promise<ObjectBytes | ObjectBody | 'unchanged' | null> {
    await this.#answer('getWhole', key, options)
    const object = this.#objects.get(key)
    if (object === undefined) return null
    if (object.etag === options.unless) return 'unchanged'
    const info = { ...describe(key, object), range: null }
    if (object.bytes.length > options.bytesMax) {
      return { ...info, body: streamOf(object.bytes, options.signal) }
    }
    return { ...info, body: new Uint8Array(object.bytes) }
  }

  async head(key: string, options: HeadOptions = {}): Promise<ObjectInfo | null> {
    await this.#answer('head', key, options)
    const object = this.#objects.get(key)
    if (object === undefined) return null
    const info = describe(key, object)
    return options.checksum ? { ...info, sha256: hashOf('sha256', object.bytes) } : info
  }

  async copy(from: string, to: string, options: CopyOptions): Promise<PutResult | null> {
    await this.#answer('copy', from, options)
    await this.#answer('copy', to, options)
    const source = this.#objects.get(from)
    if (source === undefined || source.etag !== options.ifMatch) return null
    return this.#write(to, source.bytes, source.etag, options.contentType, options.metadata)
  }

  async copyAbsent(
    from: string,
    to: string,
    options: CopyAbsentOptions,
  ): Promise<'copied' | 'exists' | 'changed'> {
    await this.#answer('copyAbsent', from, options)
    await this.#answer('copyAbsent', to, options)
    const source = this.#objects.get(from)
    if (source === undefined || source.etag !== options.ifMatch) return 'changed'
    if (this.#objects.has(to)) return 'exists'
    this.#write(to, source.bytes, source.etag, options.contentType, options.metadata)
    return 'copied'
  }

  async list(options: ListOptions): Promise<ListPage> {
    await this.#answer('list', null, options)
    const after = options.token === undefined ? options.startAfter : keyOfToken(options.token)
    this.#sortedKeys ??= [...this.#objects.keys()].sort(byBytes)
    const keys = this.#sortedKeys.filter(
      (key) => key.startsWith(options.prefix) && (after === undefined || byBytes(key, after) > 0),
    )
    const objects = keys.slice(0, options.limit).flatMap((key) => {
      const object = this.#objects.get(key)
      if (object === undefined) return []
      return [{ key, size: object.bytes.length, etag: object.etag, lastModified: object.lastModified }]
    })
    const last = keys.length > objects.length ? objects.at(-1) : undefined
    return { objects, next: last ? tokenPrefix + last.key : null }
  }

  async listPrefixes({ token, prefix, limit, signal }: ListPrefixesOptions): Promise<PrefixPage> {
    await this.#answer('list', null, { signal })
    const after = token === undefined ? undefined : keyOfToken(token)
    const folders = [...this.#objects.keys()].flatMap((key) => {
      const end = key.startsWith(prefix) ? key.indexOf('/', prefix.length) : -1
      return end < 0 ? [] : [key.slice(0, end + 1)]
    })
    const found = [...new Set(folders)]
      .sort(byBytes)
      .filter((each) => after === undefined || byBytes(each, after) > 0)
    const prefixes = found.slice(0, limit)
    const last = found.length > limit ? prefixes.at(-1) : undefined
    return { prefixes, next: last ? tokenPrefix + last : null }
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    await this.#answer('delete', key, options)
    if (this.#objects.delete(key)) this.#sortedKeys = null
  }

  async deleteBefore(key: string, options: DeleteBeforeOptions): Promise<'deleted' | 'refused'> {
    await this.#answer('deleteBefore', key, options)
    const signedAt = wholeSeconds(options.signedAt).getTime()
    if (this.#now().getTime() > signedAt + options.expiresInSeconds * 1000) return 'refused'
    if (this.#objects.delete(key)) this.#sortedKeys = null
    return 'deleted'
  }

  async startMultipart(key: string, options: MultipartOptions): Promise<MultipartUpload> {
    await this.#answer('startMultipart', key, options)
    const uploadId = crypto.randomUUID()
    const startedAt = wholeSeconds(this.#now())
    this.#uploads.set(uploadId, { key, contentType: options.contentType, startedAt, parts: [] })
    return {
      uploadPart: async (bytes, callOptions = {}) => {
        await this.#answer('uploadPart', key, callOptions)
        this.#pending(uploadId, 'uploadPart').parts.push(bytes.slice())
      },
      complete: async (callOptions = {}) => {
        await this.#answer('complete', key, callOptions)
        return this.#complete(uploadId)
      },
      abort: async () => {
        this.#uploads.delete(uploadId)
      },
    }
  }

  async listUnfinished(prefix: string, options: CallOptions = {}): Promise<UnfinishedUpload[]> {
    await this.#answer('listUnfinished', null, options)
    return [...this.#uploads]
      .filter(([, upload]) => upload.key.startsWith(prefix))
      .map(([uploadId, { key, startedAt }]) => ({ key, uploadId, startedAt }))
      .sort((a, b) => byBytes(a.key, b.key))
  }

  async abortUnfinished(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    await this.#answer('abortUnfinished', key, options)
    if (this.#uploads.get(uploadId)?.key === key) this.#uploads.delete(uploadId)
  }

  async clock(options: CallOptions = {}): Promise<Date> {
    await this.#answer('clock', null, options)
    return wholeSeconds(this.#now())
  }

  /** What every call does first: the form of the key, the signal, and an answer that is never immediate. */
  async #answer(operation: string, key: string | null, { signal }: CallOptions): Promise<void> {
    if (key !== null && (key === '' || key.startsWith('/') || !key.isWellFormed())) {
      throw new ObjectStoreError('rejected', operation, 'InvalidKey')
    }
    signal?.throwIfAborted()
    await this.#delay()
    signal?.throwIfAborted()
  }

  #holds(key: string, condition: PutOptions['condition']): boolean {
    if (condition === undefined) return true
    const current = this.#objects.get(key)
    return 'absent' in condition ? current === undefined : current?.etag === condition.etag
  }

  #write(
    key: string,
    bytes: Uint8Array,
    etag: string,
    contentType: string,
    metadata: Readonly<Record<string, string>> = {},
  ): PutResult {
    const lastModified = wholeSeconds(this.#now())
    if (!this.#objects.has(key)) this.#sortedKeys = null
    this.#objects.set(key, { bytes, etag, contentType, metadata: { ...metadata }, lastModified })
    return { etag }
  }

  #pending(uploadId: string, operation: string): PendingUpload {
    const upload = this.#uploads.get(uploadId)
    if (upload === undefined) throw new ObjectStoreError('rejected', operation, 'NoSuchUpload')
    return upload
  }

  #complete(uploadId: string): PutResult {
    const { key, contentType, parts } = this.#pending(uploadId, 'complete')
    if (parts.length === 0) throw new ObjectStoreError('rejected', 'complete', 'MalformedXML')
    if (parts.slice(0, -1).some((part) => part.length < partBytesMin)) {
      throw new ObjectStoreError('rejected', 'complete', 'EntityTooSmall')
    }
    this.#uploads.delete(uploadId)
    const etag = `${md5(Buffer.concat(parts.map((part) => Buffer.from(md5(part), 'hex'))))}-${parts.length}`
    return this.#write(key, Buffer.concat(parts), etag, contentType)
  }
}

/** Tokens of listings are no keys, so that no caller can take one for the other. */
const tokenPrefix = 'memory:'

function keyOfToken(token: string): string {
  if (!token.startsWith(tokenPrefix)) throw new ObjectStoreError('rejected', 'list', 'InvalidArgument')
  return token.slice(tokenPrefix.length)
}

/** The whole body, copied, if it is exactly `size` bytes long; the source is cancelled if it is not. */
async function readExactly(
  body: Uint8Array | ReadableStream<Uint8Array>,
  { size, signal }: PutOptions,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    if (body.length !== size) throw new ObjectStoreError('rejected', 'put', 'IncompleteBody')
    return body.slice()
  }
  const reader = body.getReader()
  const abandon = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', abandon, { once: true })
  try {
    return await collect(reader, size, signal)
  } finally {
    signal?.removeEventListener('abort', abandon)
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    signal?.throwIfAborted()
    if (done) break
    length += value.length
    chunks.push(value.slice())
    if (length > size) {
      await reader.cancel()
      break
    }
  }
  if (length !== size) throw new ObjectStoreError('rejected', 'put', 'IncompleteBody')
  return Buffer.concat(chunks)
}

/** RFC 9110 section 14.1.2: the positions that a range selects out of `size` bytes. */
function satisfy(range: ByteRange, size: number): { first: number; last: number } {
  const first = 'suffix' in range ? Math.max(size - range.suffix, 0) : range.first
  const last = 'suffix' in range ? size - 1 : Math.min(range.last ?? size - 1, size - 1)
  if (first > last) throw new ObjectStoreError('range_unsatisfiable', 'get', 'InvalidRange')
  return { first, last }
}

function streamOf(bytes: Uint8Array, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  let position = 0
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        signal?.addEventListener('abort', () => controller.error(signal.reason), { once: true })
      },
      pull(controller) {
        if (position >= bytes.length) return controller.close()
        controller.enqueue(bytes.slice(position, position + chunkBytes))
        position += chunkBytes
      },
    },
    { highWaterMark: 0 },
  )
}

function describe(key: string, object: StoredObject): ObjectInfo {
  const { bytes, etag, contentType, metadata, lastModified } = object
  return { key, size: bytes.length, etag, contentType, metadata: { ...metadata }, lastModified }
}

/** UTF-8 order is not the UTF-16 order that strings compare in. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function md5(bytes: Uint8Array): string {
  return hashOf('md5', bytes)
}

function hashOf(algorithm: 'md5' | 'sha256', bytes: Uint8Array): string {
  return new Bun.CryptoHasher(algorithm).update(bytes).digest('hex')
}

function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}
