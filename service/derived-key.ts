import { hkdfSync } from 'node:crypto'

/** What a derived key is for. A label is never used for two things. */
export type KeyPurpose = 'documents/cursor/v1' | 'documents/ticket/v1'

const keyBytes = 32

/**
 * A key of 32 bytes for one purpose (HKDF-SHA256, RFC 5869, the purpose as `info`): replicas that share the
 * secret agree on it without sharing another one.
 */
export function deriveKey(secret: string, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, keyBytes))
}
