import { describe, expect, it } from 'bun:test'
import { missingDocstrings } from '../../../../tools/checks/docstrings.ts'
import { avoidedWordsIn, fragmentTitles } from '../../../../tools/checks/wording.ts'

/** Returns the words to avoid that are found in this text, with their lines. */
function wordsIn(text: string, path = 'service/a.ts'): string[] {
  return avoidedWordsIn({ path, text }).map((line) => line.replace(/^[^:]+:(\d+): "(.*?)".*/, '$1 $2'))
}

describe('the check of wording', () => {
  it('finds words to avoid in comments, strings, identifiers and Markdown', () => {
    expect(wordsIn("// It stands beside it.\nconst a = 'nobody knows'\nfunction isPassing() {}")).toEqual([
      '1 beside',
      '2 nobody',
      '3 isPassing',
    ])
    expect(wordsIn('It is\nmended anew.', 'docs/a.md').sort()).toEqual(['2 anew', '2 mended'])
    expect(wordsIn('# Whoever comes\na: 1', 'overlays/a.yaml')).toEqual(['1 Whoever'])
  })

  it('accepts words that only contain one, and plain English', () => {
    expect(wordsIn('// We recommend amending it: a passing test, nothing else.')).toEqual([])
  })

  it('tells the keyword else from the word in comments, strings, templates and JSX', () => {
    const keyword = `if (a) b()\nelse c(/'\\//.test(d) ? \`\${{ e: 'f' }}\` : g)\nif (a) {\n} else {\n}`
    expect(wordsIn(keyword)).toEqual([])
    expect(wordsIn(`a = b / 2 // or else\nc = \`else \${d} or else\``)).toEqual([
      '1 else',
      '2 else',
      '2 else',
    ])
    expect(wordsIn("const a = () => <p>Don't, or else</p>", 'service/a.tsx')).toEqual(['1 else'])
    expect(wordsIn('```sh\nif a; then b; else c; fi\n```\nOr else.', 'README.md')).toEqual(['4 else'])
  })

  it('finds titles of tests that are a piece of a sentence', () => {
    const text =
      "it('of a list is known', () => {})\nit.each([1])('without it', f)\nit('finds a list', f)\nof('of')"
    expect(fragmentTitles({ path: 'a.test.ts', text })).toEqual([
      'a.test.ts:1: of a list is known',
      'a.test.ts:2: without it',
    ])
  })
})

describe('the check of docstrings', () => {
  const missing = (text: string) => missingDocstrings({ path: 'service/a.ts', text })

  it('finds exported functions without a docstring, in each way of writing them', () => {
    const text = [
      'export async function a() {}',
      'export const b = (c: number) => c',
      'export const d: Decoder = async (e) => e',
      '// Not a docstring.\nexport function* f() {}',
      'export const g = (1 + 2) * 3\n\nconst h = () => 1',
    ]
    expect(missing(text.join('\n\n')).map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'd', 'f'])
  })

  it('accepts a docstring before the first signature, and functions that are not exported', () => {
    const text = '/** Doubles. */\nexport function a(b: 1): 2\nexport function a(b: 2): 4\n\nfunction c() {}'
    expect(missing(text)).toEqual([])
  })
})
