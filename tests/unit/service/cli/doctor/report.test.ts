import { describe, expect, it } from 'bun:test'
import { diagnosisOf, diagnosisText } from '../../../../../service/cli/doctor/report.ts'
import type { Verdict } from '../../../../../service/object-store/probe/finding.ts'

const place = { endpoint: 'https://store.example.com', bucket: 'cloudlysis-docs', prefix: 'docs/' }

/** The line about the clean-up after a probe of a bucket that keeps versions, or not. */
function cleanUpLine(keepsVersions: Verdict): string | undefined {
  const versioning = {
    id: 'versioning',
    question: 'Does the bucket keep old versions of objects?',
    weight: 'note',
    verdict: keepsVersions,
    seen: '',
    consequence: '',
  } as const
  const text = diagnosisText(diagnosisOf(place, { findings: [versioning], left: [] }))
  return text.split('\n').find((line) => line.startsWith('clean-up: '))
}

describe('what doctor says about its clean-up', () => {
  it('does not hide that a bucket keeps the versions of what was removed', () => {
    const removed = 'clean-up: all keys of this probe were removed'
    expect(cleanUpLine('no')).toBe(removed)
    expect(cleanUpLine('yes')).toBe(
      `${removed}; the bucket keeps their old versions until a lifecycle rule expires them`,
    )
  })
})
