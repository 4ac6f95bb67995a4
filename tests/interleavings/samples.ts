import { limits } from '../../service/limits.ts'
import type { Digest } from '../../service/wire/names.ts'

/** The bytes of a version, by its label. */
export interface Sample {
  bytes: Uint8Array<ArrayBuffer>
  digest: Digest
}

/** Small versions have one byte. The two of the lower-case labels are large enough to be streamed to the store. */
const samples = new Map<string, Sample>(
  [...'ABCDEFGH', 's', 't'].map((label) => {
    const isLarge = label === label.toLowerCase()
    const bytes = new Uint8Array(isLarge ? limits.replayableBytesMax + 1 : 1).fill(label.charCodeAt(0))
    return [label, { bytes, digest: `sha256:${Bun.SHA256.hash(bytes, 'hex')}` }]
  }),
)

const labels = new Map([...samples].map(([label, { digest }]) => [digest, label]))

/** Returns the bytes and the digest of the version with this label. @throws {Error} if there is none */
export function sampleOf(label: string): Sample {
  const sample = samples.get(label)
  if (!sample) throw new Error(`there is no version ${label}`)
  return sample
}

/** Returns the label of a version, or its digest if it has none. */
export function labelOf(digest: Digest): string {
  return labels.get(digest) ?? digest
}

/** Returns a text with the labels of versions in place of their digests. */
export function withLabels(text: string): string {
  return text.replace(/(?:sha256:)?([0-9a-f]{64})/g, (whole, hex) => labels.get(`sha256:${hex}`) ?? whole)
}
