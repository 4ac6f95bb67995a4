import type { TransferSigner } from './transfer-signer.ts'

/** Signs for keys under `prefix` only; the counterpart of `prefixed` for the store itself. */
export function prefixedSigner(signer: TransferSigner, prefix: string): TransferSigner {
  return {
    postForm: (upload) => signer.postForm({ ...upload, key: prefix + upload.key }),
    put: (upload) => signer.put({ ...upload, key: prefix + upload.key }),
    get: (download) => signer.get({ ...download, key: prefix + download.key }),
  }
}
