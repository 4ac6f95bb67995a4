import {
  isWhole,
  type MultipartUpload,
  type ObjectBody,
  type ObjectBytes,
  type ObjectStore,
  ObjectStoreError,
  type PassedOn,
} from './object-store.ts'
import { type StreamObserver, tap } from './tap.ts'

/** What a call is about. */
export interface CallTarget {
  key?: string
  partNumber?: number
}

/**
 * Makes one call and sees how it ends; arguments, answer and failure pass through unchanged.
 *
 * @param operation of the S3 API, such as `GetObject`.
 */
export type ObserveCall = <T>(operation: string, target: CallTarget, call: () => Promise<T>) => Promise<T>

/** What a call that reads an object may answer. */
export type ReadAnswer = ObjectBody | ObjectBytes | 'unchanged' | null

export interface CallObserver {
  call: ObserveCall
  /** The same for a call whose answer may have a body that is read later. Default: as any other call. */
  reading?<T extends ReadAnswer>(operation: string, target: CallTarget, call: () => Promise<T>): Promise<T>
}

/** Returns `store` with every call to it made through `observer`. */
export function observed(store: ObjectStore, { call, reading = call }: CallObserver): ObjectStore {
  return {
    put: (key, body, options) => call('PutObject', { key }, () => store.put(key, body, options)),
    get: (key, options) => reading('GetObject', { key }, () => store.get(key, options)),
    getWhole: (key, options) => reading('GetObject', { key }, () => store.getWhole(key, options)),
    head: (key, options) => call('HeadObject', { key }, () => store.head(key, options)),
    copy: (from, to, options) => call('CopyObject', { key: to }, () => store.copy(from, to, options)),
    // A sequence of calls, named after the one that takes the time.
    copyAbsent: (from, to, options) =>
      call('UploadPartCopy', { key: to }, () => store.copyAbsent(from, to, options)),
    list: (options) => call('ListObjectsV2', {}, () => store.list(options)),
    listPrefixes: (options) => call('ListObjectsV2', {}, () => store.listPrefixes(options)),
    delete: (key, options) => call('DeleteObject', { key }, () => store.delete(key, options)),
    deleteBefore: (key, options) => call('DeleteObject', { key }, () => store.deleteBefore(key, options)),
    startMultipart: async (key, options) => {
      const start = () => store.startMultipart(key, options)
      return observedUpload(await call('CreateMultipartUpload', { key }, start), key, call)
    },
    listUnfinished: (prefix, options) =>
      call('ListMultipartUploads', {}, () => store.listUnfinished(prefix, options)),
    abortUnfinished: (key, uploadId, options) =>
      call('AbortMultipartUpload', { key }, () => store.abortUnfinished(key, uploadId, options)),
    clock: (options) => call('HeadBucket', {}, () => store.clock(options)),
  }
}

function observedUpload(upload: MultipartUpload, key: string, call: ObserveCall): MultipartUpload {
  let partNumber = 0
  return {
    uploadPart: (bytes, options) => {
      partNumber += 1
      return call('UploadPart', { key, partNumber }, () => upload.uploadPart(bytes, options))
    },
    complete: (options) => call('CompleteMultipartUpload', { key }, () => upload.complete(options)),
    abort: () => call('AbortMultipartUpload', { key }, () => upload.abort()),
  }
}

/** Tells whether an answer has a body that is still to be read. */
export function isOpen(answer: ReadAnswer): answer is ObjectBody {
  return answer !== null && answer !== 'unchanged' && !isWhole(answer)
}

/** Returns the answer with its body watched, if that is still to be read. Of one that is passed on, only the end is seen. */
export function watched<T extends ReadAnswer>(answer: T, observer: StreamObserver): T {
  if (!isOpen(answer)) return answer
  const { passedOn } = answer
  if (!passedOn) return Object.assign({}, answer, { body: tap(answer.body, observer) })
  const end: PassedOn['end'] = (abandoned) => {
    observer.onEnd?.()
    passedOn.end(abandoned)
  }
  return Object.assign({}, answer, { passedOn: { ...passedOn, end } })
}

/**
 * Called after every call with its outcome (`ok`, the port's error code, or `aborted` if the caller gave up or its
 * own body failed) and the seconds it took. A `get` ends when its body begins.
 */
export type OnCall = (operation: string, outcome: string, seconds: number) => void

/** Returns `store` with every call to it timed. */
export function measured(store: ObjectStore, onCall: OnCall): ObjectStore {
  return observed(store, {
    async call(operation, _target, make) {
      const startedAt = performance.now()
      const end = (outcome: string) => onCall(operation, outcome, (performance.now() - startedAt) / 1000)
      try {
        const answer = await make()
        end('ok')
        return answer
      } catch (error) {
        end(error instanceof ObjectStoreError ? error.code : 'aborted')
        throw error
      }
    },
  })
}
