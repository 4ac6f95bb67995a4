import { describe, expect, it } from 'bun:test'
import { figuresIn, type KeptFigure, latestFigures } from '../../../../tools/runner/figures.ts'

const result = {
  ...{ suite: 'integration', store: 'MinIO', passed: 3, failed: 0, skipped: 0, minutes: 1, remarks: [] },
  noted: [
    'size: 200 cases',
    'figure: memory | download, 1 GiB | 12.25 MiB',
    'figure: damage | flipped bits | 64',
  ],
}
const run = { size: 'test', date: '2026-11-29' } as const
const memory: KeptFigure = {
  ...{ promise: 'memory', name: 'download, 1 GiB', value: 12.25, unit: 'MiB', store: 'MinIO' },
  ...run,
}

describe('The figures of a run', () => {
  it('are those that its suites printed about promises, with the store', () => {
    const flipped = { ...memory, promise: 'damage', name: 'flipped bits', value: 64, unit: '' } as const
    expect(figuresIn([result], run)).toEqual([memory, flipped])
    expect(figuresIn([{ ...result, noted: ['figure: noSuchPromise | a | 1'] }], run)).toEqual([])
  })

  it('are none of a suite in which a test failed', () => {
    expect(figuresIn([{ ...result, failed: 1 }], run)).toEqual([])
  })

  it('replace those of earlier runs on the same store, but none of a long run by one of a short run', () => {
    const later = { ...memory, value: 13 }
    const elsewhere = { ...memory, store: 'Ceph RGW' }
    const long = { ...memory, value: 14, size: 'long' } as const
    const renamed = { ...memory, name: 'a name that no test prints any more' }
    expect(latestFigures([memory, renamed, elsewhere], [later])).toEqual([elsewhere, later])
    expect(latestFigures([later], [long])).toEqual([long])
    expect(latestFigures([long], [later])).toEqual([long])
  })

  it('are in the order of the promises, without those of a promise that is no longer made', () => {
    const gone = { ...memory, promise: 'gone' } as unknown as KeptFigure
    const damage: KeptFigure = { ...memory, promise: 'damage' }
    expect(latestFigures([memory, gone], [damage])).toEqual([damage, memory])
  })
})
