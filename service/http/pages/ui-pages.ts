import { scopes } from '../../authz/principal.ts'
import type { UiBundle } from '../../ui/bundle.ts'
import { noSuchRoute } from '../problem.ts'
import { fixedPage } from './fixed-page.ts'
import type { PublicPage } from './public-page.ts'
import { assetAnswer, type CodedAsset, codedAsset } from './ui-assets.ts'
import { uiContentPolicy, uiFileHeaders, uiPageHeaders } from './ui-headers.ts'

/** What the browser is told of the service: nothing that not everybody may know. */
export interface UiSettings {
  /** OpenID Connect issuer; one without `authorization_endpoint` signs people in by the links that it gives out. */
  issuer: string
  clientId: string
  /** Of access tokens. */
  audience: string
  /** URL that shows a trace, with `{traceId}` in it. */
  traceUrlTemplate: string | null
  documentBytesMax: number
}

export interface UiOptions {
  /** The files, once they are there; addresses of the UI wait for them, nothing else does. */
  bundle: Promise<UiBundle>
  settings: UiSettings
  /** Origins that the browser talks to besides ours: those of signed URLs, and the issuer's. */
  connectOrigins: readonly string[]
}

/** Where the issuer sends the browser back to. */
const callbackPath = '/sign-in/callback'
/** Addresses that the UI itself knows how to show, all of them one page. Their segments are its to check. */
const pagePaths = [
  '/',
  '/tenants/:tenant',
  '/tenants/:tenant/:type',
  '/tenants/:tenant/:type/:name',
  '/sign-in',
]
/** What the UI asks for at sign-in (OpenID Connect Core 1.0, sections 3.1.2.1 and 11); issuers give less. */
const scope = ['openid', 'offline_access', ...scopes].join(' ')

/**
 * The Control UI: one page for all its addresses, its files, and its settings. Documents are never among them:
 * they come from the API alone, as attachments.
 *
 * Decision: the page to which the issuer sends people back has no opener policy. Any other value parts a pop-up
 * that has been at the issuer from the page that opened it (HTML standard, "check if COOP values require a
 * browsing context group switch"), and that page would wait for ever. Revisit if signing in again no longer
 * needs `window.opener`.
 */
export function createUiPages({ bundle, settings, connectOrigins }: UiOptions): PublicPage[] {
  const contentPolicy = uiContentPolicy(connectOrigins)
  const files = prepare(bundle, contentPolicy)
  // Each request for one of them learns of a failure, and the composition root logs it.
  files.catch(() => {})
  const fileHeaders = uiFileHeaders(contentPolicy)
  return [
    ...pagePaths.map(
      (path): PublicPage => ({ path, route: '/', answer: async (request) => (await files).page(request) }),
    ),
    { path: callbackPath, answer: async (request) => (await files).callback(request) },
    {
      path: '/assets/*',
      route: '/assets/:file',
      async answer(request, pathname) {
        const asset = (await files).assets.get(pathname)
        if (!asset) throw noSuchRoute()
        return assetAnswer(asset, request, fileHeaders)
      },
    },
    {
      path: '/ui-settings.json',
      answer: fixedPage('application/json', JSON.stringify({ ...settings, scope })),
    },
  ]
}

interface UiFiles {
  page(request: Request): Response
  callback(request: Request): Response
  assets: ReadonlyMap<string, CodedAsset>
}

async function prepare(bundle: Promise<UiBundle>, contentPolicy: string): Promise<UiFiles> {
  const { index, assets } = await bundle
  const coded = assets.map(
    async (asset): Promise<[string, CodedAsset]> => [asset.path, await codedAsset(asset)],
  )
  const html = 'text/html;charset=utf-8'
  return {
    page: fixedPage(html, index, uiPageHeaders(contentPolicy, 'same-origin-allow-popups')),
    callback: fixedPage(html, index, uiPageHeaders(contentPolicy, 'unsafe-none')),
    assets: new Map(await Promise.all(coded)),
  }
}
