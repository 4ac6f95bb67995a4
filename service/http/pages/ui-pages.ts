import { scopes } from '../../authz/principal.ts'
import type { UiBundle } from '../../ui/bundle.ts'
import { noSuchRoute } from '../problem.ts'
import { fixedPage } from './fixed-page.ts'
import type { PublicPage, PublicPages } from './public-pages.ts'
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
/** Addresses that the UI itself knows how to show. Their segments are its to check. */
const routeForm = /^\/(?:tenants(?:\/[^/]+){1,3}|sign-in|sign-in\/callback)?$/
const assetsPath = '/assets/'
const settingsPath = '/ui-settings.json'
/** All of them are one page. */
const pageRoute = '/'
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
export function createUiPages({ bundle, settings, connectOrigins }: UiOptions): PublicPages {
  const contentPolicy = uiContentPolicy(connectOrigins)
  const files = prepare(bundle, contentPolicy)
  // Whoever asks gets to know, and so does main.
  files.catch(() => {})
  const fileHeaders = uiFileHeaders(contentPolicy)

  const page: PublicPage = async (request) => (await files).page(request)
  const callback: PublicPage = async (request) => (await files).callback(request)
  const asset =
    (pathname: string): PublicPage =>
    async (request) => {
      const found = (await files).assets.get(pathname)
      if (!found) throw noSuchRoute()
      return assetAnswer(found, request, fileHeaders)
    }
  const settingsPage = fixedPage('application/json', JSON.stringify({ ...settings, scope }))

  return {
    find(pathname) {
      if (pathname === settingsPath) return { route: settingsPath, answer: settingsPage }
      if (pathname === callbackPath) return { route: callbackPath, answer: callback }
      if (pathname.startsWith(assetsPath)) return { route: `${assetsPath}:file`, answer: asset(pathname) }
      return routeForm.test(pathname) ? { route: pageRoute, answer: page } : undefined
    },
  }
}

interface UiFiles {
  page: PublicPage
  callback: PublicPage
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
