import { describe, expect, it } from 'bun:test'
import { preferredWaitSeconds } from '../../../../../service/http/headers/prefer.ts'

const read = (prefer: string) => preferredWaitSeconds(new Headers({ prefer }))

describe('Prefer', () => {
  it('says how long the caller would wait, among other preferences and in any spelling', () => {
    for (const prefer of [
      'wait=10',
      'Wait = 10',
      'wait="10"',
      'respond-async, wait=10',
      'wait=10;x=y, handling=lenient',
      'wait=10, wait=20',
      'wait=x, wait=10',
    ])
      expect(read(prefer)).toBe(10)
    expect(read('wait=0')).toBe(0)
  })

  it('says nothing where it is malformed, or about something else', () => {
    for (const prefer of [
      'wait',
      'wait=',
      'wait=-1',
      'wait=1.5',
      'wait=ten',
      'waiting=10',
      'await=10',
      'wait=9999999999',
    ])
      expect(read(prefer)).toBeUndefined()
    expect(preferredWaitSeconds(new Headers())).toBeUndefined()
  })
})
