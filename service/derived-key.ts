import { hkdfSync } from 'node:crypto'

/** The purpose of a derived key. A label is never used for two purposes. */
export type KeyPurpose = 'documents/cursor/v1' | 'documents/ticket/v1' | 'documents/archive-link/v1'

const keyBytes = 32

/**
 * Returns a key of 32 bytes for one purpose (HKDF-SHA256, RFC 5869, the purpose as `info`). Replicas that share the
 * secret agree on the key without sharing another secret.
 */
export function deriveKey(secret: string, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, keyBytes))
}

/** Returns the keys of one purpose that follow from `secrets`, in their order. */
export function deriveKeys(
  [first, ...others]: readonly [string, ...string[]],
  purpose: KeyPurpose,
): [Uint8Array, ...Uint8Array[]] {
  return [deriveKey(first, purpose), ...others.map((secret) => deriveKey(secret, purpose))]
}
