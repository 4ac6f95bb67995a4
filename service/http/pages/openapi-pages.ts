import { describeApi } from '../openapi/openapi.ts'
import type { Route } from '../route.ts'
import style from './docs-page.css' with { type: 'text' }
import { docsStylePath, openApiPath, renderDocsPage } from './docs-page.ts'
import { fixedPage } from './fixed-page.ts'
import type { PublicPage } from './public-page.ts'

/** The description of the API for machines and for people, whole on our own origin. */
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
