import { describe, expect, it } from 'bun:test'
import { textTable } from '../../../../service/cli/output.ts'

describe('textTable', () => {
  it('wraps cells at words, so that nothing is cut off', () => {
    const table = textTable(['', 'question', 'seen'], [['✓', 'Is the bucket there at all?', '200']], 37)
    expect(table.split('\n')).toEqual([
      '   question          seen',
      '-  ----------------  ----------------',
      '✓  Is the bucket     200',
      '   there at all?',
    ])
  })

  it('keeps a word that is longer than its column', () => {
    const word = 'x-amz-copy-source-if-match'
    expect(textTable(['', 'question'], [['✗', word]], 10)).toContain(word)
  })

  it('lets no control character of a store reach the terminal', () => {
    expect(textTable(['', 'seen'], [['✗', '400 \u001b[31mRed']], 80)).not.toContain('\u001b')
  })
})
