import { describe, expect, it } from 'bun:test'
import { resolve } from 'node:path'
import { brokenCitations, headingsOf } from '../../../../tools/checks/architecture-citations.ts'
import { readSources } from '../../../../tools/checks/source-imports.ts'

const root = resolve(import.meta.dir, '../../../../..')
const page = await Bun.file(`${root}/ARCHITECTURE.md`).text()
/** Put together here, since this file is searched as well. */
const named = 'ARCHITECTURE' + '.md'

function broken(text: string): string[] {
  return brokenCitations([{ path: 'service/a.ts', text }], '# Page\n\n## Key scheme\n')
}

describe('the check of citations of the design page', () => {
  it('finds only headings that are there in the sources of this repository', async () => {
    const sources = await readSources(root, ['service', 'compose', 'observability', 'tests'])
    expect(sources.filter(({ text }) => text.includes(`${named}, "`)).length).toBeGreaterThan(10)
    expect(brokenCitations(sources, page)).toEqual([])
  })

  it('accepts a citation on one line and across two lines of a comment', () => {
    expect(broken(`/** The nouns (${named}, "Key scheme"). */`)).toEqual([])
    expect(
      broken(`/**\n * The nouns (${named}, "Key\n * scheme") and\n * (${named},\n * "Key scheme").\n */`),
    ).toEqual([])
    expect(broken(`# of YAML (${named},\n# "Key scheme")`)).toEqual([])
  })

  it('reports a heading that is not there, wherever the line breaks', () => {
    expect(broken(`/** (${named}, "Keys") */`)).toEqual([`service/a.ts: ${named} has no heading "Keys"`])
    expect(broken(`// (${named},\n// "Key schemes")`)).toEqual([
      `service/a.ts: ${named} has no heading "Key schemes"`,
    ])
  })

  it('reports a citation in another form', () => {
    expect(broken(`/** (${named}, section 2) */`)).toHaveLength(1)
    expect(broken(`/** (${'design'}, section 2) */`)).toHaveLength(1)
    expect(broken(`see ${named} for the design`)).toEqual([])
  })

  it('reads headings of every level, and none in a block of code', () => {
    const markdown = '# Page\n\n### Deep one\n\n```sh\n# a comment\n```\n## Last\n'
    expect([...headingsOf(markdown)]).toEqual(['Page', 'Deep one', 'Last'])
  })
})
