import { describe, expect, it } from 'bun:test'
import { renderDocsPage } from '../../../../../service/http/pages/docs-page.ts'
import { html, prose } from '../../../../../service/http/pages/docs-page-schema.ts'
import { describedApi } from '../../../../support/openapi/openapi-under-test.ts'

describe('a template of HTML', () => {
  it('treats everything that is put into it as text, except markup of its own', () => {
    expect(html`<p title="${'"'}">${'<b>&'}</p>`.html).toBe('<p title="&quot;">&lt;b&gt;&amp;</p>')
    expect(html`<ul>${[html`<li>${1}</li>`, '<li>']}</ul>`.html).toBe('<ul><li>1</li>&lt;li&gt;</ul>')
  })

  it('leaves nothing where there is nothing', () => {
    expect(html`<p>${undefined}${false}</p>`.html).toBe('<p></p>')
  })
})

describe('prose', () => {
  it('knows paragraphs, code and emphasis, and takes the rest for text', () => {
    const paragraphs = prose('`a<b` is *so*.\n\n2 * 3').map((each) => each.html)
    expect(paragraphs).toEqual(['<p><code>a&lt;b</code> is <em>so</em>.</p>', '<p>2 * 3</p>'])
  })
})

describe('the page of an OpenAPI document', () => {
  it('shows its texts as text', () => {
    const document = describedApi()
    document.info.title = '<script>alert(1)</script>'
    expect(renderDocsPage(document)).toContain('<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>')
  })

  it('says of an operation what it takes, what it answers, and how to try it', () => {
    const page = renderDocsPage(describedApi())
    const [, section = ''] = /<section id="putDocument">(.*?)<\/section>/s.exec(page) ?? []
    expect(section).toContain(
      '-T file &quot;$API/v1/tenants/acme/documents/deployment-bundles/orders-api.tgz&quot;',
    )
    expect(section).toContain('<code>Repr-Digest</code>')
    expect(section).toContain('<b>201</b>')
    expect(section).toContain('<a href="#schema-Document">Document</a>')
    expect(section).toContain('<a href="#problem-digest_mismatch">')
  })
})
