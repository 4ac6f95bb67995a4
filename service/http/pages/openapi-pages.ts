import { describeApi } from '../openapi/openapi.ts'
import type { Route } from '../route.ts'
import style from './docs-page.css' with { type: 'text' }
import { docsStylePath, openApiPath, renderDocsPage } from './docs-page.ts'
import { fixedPage } from './fixed-page.ts'
import { type PublicPages, pagesAt } from './public-pages.ts'

/** The description of the API for machines and for people, whole on our own origin. */
export function createOpenApiPages(
  routes: readonly Route[],
  options: { documentBytesMax: number },
): PublicPages {
  const document = describeApi(routes, options)
  return pagesAt({
    [openApiPath]: fixedPage('application/json', JSON.stringify(document)),
    '/docs': fixedPage('text/html;charset=utf-8', renderDocsPage(document)),
    [docsStylePath]: fixedPage('text/css;charset=utf-8', style),
  })
}
