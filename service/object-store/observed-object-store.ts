import type { MultipartUpload, ObjectBody, ObjectStore } from './object-store.ts'

/** What a call is about. */
export interface CallTarget {
  key?: string
  partNumber?: number
}

/**
 * Makes one call and sees how it ends; everything about the call goes through as it is.
 *
 * @param operation of the S3 API, such as `GetObject`.
 */
export type ObserveCall = <T>(operation: string, target: CallTarget, call: () => Promise<T>) => Promise<T>

export interface CallObserver {
  call: ObserveCall
  /** The same for a call whose answer is a body that goes on after it. Default: as any other call. */
  reading?(
    operation: string,
    target: CallTarget,
    call: () => Promise<ObjectBody | null>,
  ): Promise<ObjectBody | null>
}

/** `store`, with every call to it made through `observer`. */
export function observed(store: ObjectStore, { call, reading = call }: CallObserver): ObjectStore {
  return {
    put: (key, body, options) => call('PutObject', { key }, () => store.put(key, body, options)),
    get: (key, options) => reading('GetObject', { key }, () => store.get(key, options)),
    head: (key, options) => call('HeadObject', { key }, () => store.head(key, options)),
    copy: (from, to, options) => call('CopyObject', { key: to }, () => store.copy(from, to, options)),
    list: (options) => call('ListObjectsV2', {}, () => store.list(options)),
    delete: (key, options) => call('DeleteObject', { key }, () => store.delete(key, options)),
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
