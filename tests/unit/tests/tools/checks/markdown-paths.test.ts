import { describe, expect, it } from 'bun:test'
import { brokenPaths } from '../../../../tools/checks/markdown-paths.ts'

/** What is wrong in `service/README.md` with this text, next to a page, a source file and an image. */
function broken(text: string): string[] {
  return brokenPaths([
    { path: 'service/README.md', text },
    { path: 'ARCHITECTURE.md', text: '# Page\n\n## Key scheme\n\n### What `it` costs, and why\n' },
    { path: 'service/http/app.ts', text: '' },
    { path: 'service/ui/page.png', text: '' },
  ])
}

describe('the check of links and paths in Markdown', () => {
  it('accepts relative links to files, folders and headings, and addresses elsewhere', () => {
    expect(broken('[a](http/app.ts) [b](http) ![c](ui/page.png) [d](https://example.com/x.md#y)')).toEqual([])
    expect(broken('# Top one\n[a](../ARCHITECTURE.md#key-scheme) [b](#top-one)')).toEqual([])
    expect(broken('[a](../ARCHITECTURE.md#what-it-costs-and-why)')).toEqual([])
  })

  it('reports a link to a file or a heading that is not there', () => {
    expect(broken('[a](app.ts)')).toEqual(['service/README.md: the link to app.ts leads nowhere'])
    expect(broken('[a](../ARCHITECTURE.md#keys)')).toEqual([
      'service/README.md: ARCHITECTURE.md has no heading for #keys',
    ])
  })

  it('reports paths and source files in backquotes that are not there, each once', () => {
    expect(
      broken('`service/http/app.ts`, `service/http/`, `http/app.ts`, `app.ts`, `service/<name>/`'),
    ).toEqual([])
    expect(broken('`service/https` and `service/https`')).toEqual([
      'service/README.md: there is no service/https',
    ])
    expect(broken('`p.ts` and `http/p.ts`')).toHaveLength(2)
  })

  it('takes blocks of code for examples', () => {
    expect(broken('```sh\nbun `service/none.ts` [a](b.md)\n```\n')).toEqual([])
  })
})
