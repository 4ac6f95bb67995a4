import { type Static, Type } from '@sinclair/typebox'
import type { Scrubbed } from '../../documents/maintenance/scrub.ts'
import { formatBytes, printJson, printLine } from '../output.ts'

/** A version whose bytes are not those of its digest. */
export const DamagedVersion = Type.Object({
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  declared: Type.String(),
  /** The digest of the stored bytes; `null` where the store did not return them. */
  found: Type.Union([Type.String(), Type.Null()]),
  size: Type.Integer(),
})
export type DamagedVersion = Static<typeof DamagedVersion>

export interface ScrubTotals {
  versions: number
  bytes: number
  damaged: readonly DamagedVersion[]
}

/** Returns what is kept and printed of a version that is damaged. */
export function damagedVersion({ ref, found, size }: Scrubbed): DamagedVersion {
  const { tenant, type, name, digest } = ref
  return { tenant, type, name, declared: digest, found, size }
}

/** What goes to standard output: sentences, or with `json` one object per line. */
export interface ScrubReport {
  damaged(version: DamagedVersion): void
  /** @param end whether every version was read; `after` is the last key that was, empty for none. */
  summary(totals: ScrubTotals, end: { finished: boolean; after: string }): void
}

/** Returns the report for people, or for machines where `json` is true. */
export function createReport(json: boolean): ScrubReport {
  return json ? jsonReport : textReport
}

const jsonReport: ScrubReport = {
  damaged: (version) => printJson({ event: 'damaged', ...version }),
  summary: ({ versions, bytes, damaged }, { finished, after }) =>
    printJson({ event: 'summary', finished, after, versions, bytes, damaged: damaged.length }),
}

const textReport: ScrubReport = {
  damaged({ tenant, type, name, declared, found, size }) {
    const seen = found === null ? 'cannot be read' : `holds ${found} (${size} bytes)`
    printLine(`✗ ${tenant} ${type}/${name} ${declared} ${seen}`)
  },
  summary({ versions, bytes, damaged }, { finished }) {
    const mark = damaged.length > 0 ? '✗' : finished ? '✓' : '?'
    const counted = `${versions} versions, ${formatBytes(bytes)} read, ${damaged.length} damaged`
    printLine(`${mark} ${counted}${finished ? '' : '; not finished'}`)
  },
}
