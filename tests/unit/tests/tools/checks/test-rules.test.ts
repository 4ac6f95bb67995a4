import { describe, expect, it } from 'bun:test'
import { promises } from '../../../../support/promises.ts'
import {
  crossSuiteImports,
  crowdedFolders,
  lostPromises,
  sizesOutsideTests,
  unrunTests,
} from '../../../../tools/checks/test-rules.ts'

describe('the rules about tests', () => {
  it('let a suite import itself, tests/support, tests/tools and production code, and no other suite', () => {
    const importing = (path: string, what: string) =>
      crossSuiteImports([{ path, text: `import { a } from '${what}'\n` }])
    for (const what of ['./b.ts', '../support/waiting.ts', '../tools/suites.ts', '../../service/limits.ts'])
      expect(importing('tests/faults/a.test.ts', what)).toEqual([])
    expect(importing('tests/faults/a.test.ts', '../integration/b.ts')).toHaveLength(1)
    expect(importing('tests/support/a.ts', '../unit/service/b.ts')).toHaveLength(1)
    expect(importing('compose/a.ts', '../tests/unit/b.ts')).toHaveLength(1)
  })

  it('find a test that no suite runs, by every name that bun test knows', () => {
    const names = ['a.test.ts', 'a.test.tsx', 'a_test.ts', 'a.spec.js', 'a.test.mts']
    const paths = names.map((name) => `tests/new/${name}`)
    expect(
      unrunTests([...paths, 'tests/unit/b.test.ts', 'service/test.ts'], ['tests/unit/b.test.ts']),
    ).toHaveLength(5)
    expect(unrunTests(paths, paths)).toEqual([])
  })

  it('find a size that is taken outside of a test, where test:long would not see it', () => {
    const text = (up: string) => `import { sizeOf } from '${up}/sizes.ts'\n`
    expect(sizesOutsideTests([{ path: 'tests/http/a.test.ts', text: text('../support') }])).toEqual([])
    expect(sizesOutsideTests([{ path: 'tests/support/http/a.ts', text: text('..') }])).toHaveLength(1)
  })

  it('find a promise whose test is gone', () => {
    const tests = Object.values(promises).map(({ test }) => test)
    expect(lostPromises(tests)).toEqual([])
    expect(lostPromises(tests.filter((test) => test !== promises.damage.test))).toEqual([
      `damage: no suite runs ${promises.damage.test}`,
    ])
  })

  it('find a folder with more than forty files', () => {
    const files = (count: number) => Array.from({ length: count }, (_, index) => `service/a/${index}.ts`)
    expect(crowdedFolders([...files(40), 'service/b.ts'])).toEqual([])
    expect(crowdedFolders(files(41))).toEqual(['service/a: 41 files, more than 40'])
  })
})
