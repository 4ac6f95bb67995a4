import { randomBytes } from 'node:crypto'
import { digestOfHex } from '../../documents/document-key.ts'
import type { Digest, VersionRef } from '../../wire/names.ts'

/** Under a type of its own, so that nobody takes one that stayed for a document of theirs. */
const markerType = 'smoke-test'

/** Large enough to be streamed by the service (`limits.wholeReadBytesMax`), small enough for any time of day. */
const markerBytes = 512 * 1024

/** A document of this run's own: nobody else's name, nobody else's bytes. */
export interface Marker extends VersionRef {
  bytes: Uint8Array<ArrayBuffer>
  /** The tag, beside `latest`, that the run moves. */
  tag: string
}

export function newMarker(tenant: string): Marker {
  const bytes = new Uint8Array(randomBytes(markerBytes))
  return {
    ...{ tenant, type: markerType, name: `marker-${randomBytes(8).toString('hex')}.bin` },
    ...{ bytes, digest: digestOf(bytes), tag: 'smoke' },
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestOfHex(Bun.SHA256.hash(bytes, 'hex'))
}
