import { describeApi } from '../openapi/openapi.ts'
import type { Header, MediaType, OpenApiDocument, Operation } from '../openapi/types.ts'
import type { Route } from '../route.ts'
import style from './docs-page.css' with { type: 'text' }
import { answerTable, type Placed, parameterTable, renderOperation } from './docs-page-operation.ts'
import { formOf, html, inline, type Markup, prose, renderSchema } from './docs-page-schema.ts'
import { fixedPage, type PublicPage } from './page.ts'

/** Returns the pages that describe the API, for machines and for people; everything in them is from our own origin. */
export function createOpenApiPages(
  routes: readonly Route[],
  options: { documentBytesMax: number },
): PublicPage[] {
  const document = describeApi(routes, options)
  return [
    { path: openApiPath, answer: fixedPage('application/json', JSON.stringify(document)) },
    { path: '/docs', answer: fixedPage('text/html;charset=utf-8', renderDocsPage(document)) },
    { path: docsStylePath, answer: fixedPage('text/css;charset=utf-8', style) },
  ]
}

/** Addresses that a page refers to. */
export const docsStylePath = '/docs/style.css'
export const openApiPath = '/openapi.json'

const methods = ['get', 'head', 'put', 'post', 'delete'] as const

/**
 * The description of the API as one page to be read: everything is in it and visible, without a script.
 *
 * @returns an HTML document.
 */
export function renderDocsPage(document: OpenApiDocument): string {
  const placed = operationsOf(document)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title}</title>
<link rel="stylesheet" href="${docsStylePath}">
</head>
<body>
<nav aria-label="Contents">${contents(document, placed)}</nav>
<main>
<h1>${document.info.title}</h1>
<p>${document.info.summary}. Version ${document.info.version}; for machines: <a href="${openApiPath}">${openApiPath}</a>.</p>
${prose(document.info.description)}
${authorisation(document)}
${document.tags.map(
  (tag) => html`
<h2 id="tag-${tag.name}">${tag.name}</h2>
<p>${tag.description}</p>
${placed.filter(({ operation }) => operation.tags.includes(tag.name)).map((each) => renderOperation(document, each))}`,
)}
<h2 id="every-call">Headers that every call takes</h2>
${parameterTable(Object.values(document.components.parameters))}
<h2 id="every-answer">Headers of every answer</h2>
${headerTable(document.components.headers)}
<h2 id="other-methods">Other methods</h2>
${Object.values(document.paths)
  .slice(0, 1)
  .map((item) => answerTable(document, item['x-other-methods']))}
<h2 id="other-addresses">Other addresses</h2>
${answerTable(document, document['x-unknown-address'])}
<h2 id="problems">Problems</h2>
${problemTable(document)}
<h2 id="schemas">Schemas</h2>
${Object.entries(document.components.schemas).map(([name, schema]) => renderSchema(name, schema))}
</main>
</body>
</html>
`
  return page.html
}

function operationsOf({ paths }: OpenApiDocument): Placed[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method): Placed[] => {
      const operation: Operation | undefined = item[method]
      const sameAsGet = Bun.deepEquals(item.head?.responses, item.get?.responses)
      if (!operation || (method === 'head' && sameAsGet)) return []
      return [{ path, method, operation, alsoHead: method === 'get' && sameAsGet }]
    }),
  )
}

function contents({ tags }: OpenApiDocument, placed: readonly Placed[]): Markup {
  const groups = tags.map(
    ({ name }) => html`
<li><a href="#tag-${name}">${name}</a><ul>${placed
      .filter(({ operation }) => operation.tags.includes(name))
      .map(
        ({ method, operation: { operationId, summary } }) =>
          html`<li><a href="#${operationId}"><span class="method ${method}">${method.toUpperCase()}</span> ${summary}</a></li>`,
      )}</ul></li>`,
  )
  return html`<ul>${groups}
<li><a href="#every-call">Headers that every call takes</a></li>
<li><a href="#every-answer">Headers of every answer</a></li>
<li><a href="#other-methods">Other methods</a></li>
<li><a href="#other-addresses">Other addresses</a></li>
<li><a href="#problems">Problems</a></li>
<li><a href="#schemas">Schemas</a></li></ul>`
}

function authorisation({ components }: OpenApiDocument): Markup {
  return html`<p><code>Authorization: Bearer</code> and a token. ${inline(String(components.securitySchemes.bearer?.description))}</p>`
}

function headerTable(headers: Record<string, Header>): Markup {
  const rows = Object.entries(headers).map(
    ([name, { description, required, schema }]) => html`
<tr><td><code>${name}</code></td><td>${formOf(schema)}</td><td>${description}${!required && html` <em>not always</em>`}</td></tr>`,
  )
  return html`<div class="wide"><table><thead><tr><th>Header</th><th>Form</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table></div>`
}

/** Every problem once, however many operations answer with it. */
function problemTable({ components }: OpenApiDocument): Markup {
  const seen = new Map<string, Markup>()
  for (const [name, { content }] of Object.entries(components.responses)) {
    const problem: MediaType | undefined = content?.['application/problem+json']
    for (const [code, { summary }] of Object.entries(problem?.examples ?? {})) {
      const [status] = name.split('.')
      seen.set(
        code,
        html`
<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${summary}</td></tr>`,
      )
    }
  }
  const rows = [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  return html`<div class="wide"><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table></div>`
}
