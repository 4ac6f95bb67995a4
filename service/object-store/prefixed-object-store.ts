import { type ObjectStore, ObjectStoreError } from './object-store.ts'
import type { TransferSigner } from './transfer-signer.ts'

/**
 * Returns the part of a store that lies under `prefix` as a store of its own: callers neither see the prefix nor
 * reach beyond it.
 *
 * Keys with a `.` or `..` segment are refused (`rejected`, `InvalidKey`): to S3 they are plain bytes, but URL
 * parsers (https://url.spec.whatwg.org/#path-state) and stores that keep files resolve them. So are empty
 * keys, keys with a leading slash and text that is not UTF-8.
 *
 * @param prefix ends with a slash and does not begin with one: `docs/`
 * @throws {TypeError} for a prefix of another form
 */
export function prefixed(store: ObjectStore, prefix: string): ObjectStore {
  if (!isPrefix(prefix)) throw new TypeError('object store: a key prefix ends with its only trailing slash')

  const inside = (operation: string, key: string) => {
    if (!isKey(key)) throw new ObjectStoreError('rejected', operation, 'InvalidKey')
    return prefix + key
  }
  const strip = <T extends { key: string }>(operation: string, object: T): T => {
    if (!object.key.startsWith(prefix)) throw new ObjectStoreError('rejected', operation, 'ForeignKey')
    return { ...object, key: object.key.slice(prefix.length) }
  }
  const stripped = async <T extends { key: string }>(operation: string, answer: Promise<T | null>) => {
    const object = await answer
    return object === null ? null : strip(operation, object)
  }

  // Each method is async so that a refused key is a rejection, as the port's failures are, not a throw.
  return {
    put: async (key, body, options) => store.put(inside('put', key), body, options),
    get: async (key, options) => stripped('get', store.get(inside('get', key), options)),
    getWhole: async (key, options) => {
      const object = await store.getWhole(inside('getWhole', key), options)
      return object === null || object === 'unchanged' ? object : strip('getWhole', object)
    },
    head: async (key, options) => stripped('head', store.head(inside('head', key), options)),
    copy: async (from, to, options) => store.copy(inside('copy', from), inside('copy', to), options),
    copyAbsent: async (from, to, options) =>
      store.copyAbsent(inside('copyAbsent', from), inside('copyAbsent', to), options),
    list: async (options) => {
      const startAfter = options.startAfter === undefined ? undefined : prefix + options.startAfter
      const page = await store.list({ ...options, prefix: prefix + options.prefix, startAfter })
      return { ...page, objects: page.objects.map((object) => strip('list', object)) }
    },
    listPrefixes: async (options) => {
      const page = await store.listPrefixes({ ...options, prefix: prefix + options.prefix })
      return { ...page, prefixes: page.prefixes.map((each) => strip('list', { key: each }).key) }
    },
    delete: async (key, options) => store.delete(inside('delete', key), options),
    deleteBefore: async (key, options) => store.deleteBefore(inside('deleteBefore', key), options),
    startMultipart: async (key, options) => store.startMultipart(inside('startMultipart', key), options),
    listUnfinished: async (keyPrefix, options) => {
      const uploads = await store.listUnfinished(prefix + keyPrefix, options)
      return uploads.map((upload) => strip('listUnfinished', upload))
    },
    abortUnfinished: async (key, uploadId, options) =>
      store.abortUnfinished(inside('abortUnfinished', key), uploadId, options),
    clock: (options) => store.clock(options),
  }
}

/** Returns a signer for keys under `prefix` only; the counterpart of {@link prefixed} for signed transfers. */
export function prefixedSigner(signer: TransferSigner, prefix: string): TransferSigner {
  return {
    postForm: (upload) => signer.postForm({ ...upload, key: prefix + upload.key }),
    put: (upload) => signer.put({ ...upload, key: prefix + upload.key }),
    get: (download) => signer.get({ ...download, key: prefix + download.key }),
  }
}

function isPrefix(prefix: string): boolean {
  return prefix.endsWith('/') && isKey(prefix.slice(0, -1)) && !prefix.endsWith('//')
}

function isKey(key: string): boolean {
  if (key === '' || key.startsWith('/') || !key.isWellFormed()) return false
  return !key.split('/').some((segment) => segment === '.' || segment === '..')
}
