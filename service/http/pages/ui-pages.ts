import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { scopes } from '../../authz/principal.ts'
import type { UiAsset, UiBundle } from '../../ui/bundle.ts'
import type { UiSettings } from '../../wire/ui-settings.ts'
import { chooseCoding } from '../headers/accept-encoding.ts'
import { noSuchRoute } from '../problem.ts'
import { fixedPage, type PublicPage } from './page.ts'
import { uiContentPolicy, uiFileHeaders, uiPageHeaders } from './ui-headers.ts'

export interface UiOptions {
  /** The files, once they are built: requests for them wait, all others do not. */
  bundle: Promise<UiBundle>
  /** Without the scope, which is that of the API's own policy. */
  settings: Omit<UiSettings, 'scope'>
  /** Origins that the browser talks to as well as ours: those of signed URLs, and the issuer's. */
  connectOrigins: readonly string[]
}

/** Where the issuer sends the browser back to. */
const callbackPath = '/sign-in/callback'
/** Addresses that the UI shows by itself: all of them get one page, which checks the segments. */
const pagePaths = [
  '/',
  '/tenants/:tenant',
  '/tenants/:tenant/:type',
  '/tenants/:tenant/:type/:name',
  '/tenants/:tenant/:type/:name/history',
  '/sign-in',
]
/** What the UI asks for at sign-in (OpenID Connect Core 1.0, sections 3.1.2.1 and 11); issuers give less. */
const scope = ['openid', 'offline_access', ...scopes].join(' ')

/**
 * Returns the pages of the Control UI: one page for all its addresses, its files, and its settings. Documents are never among them:
 * they come from the API alone, as attachments.
 *
 * Decision: the page to which the issuer sends people back has no opener policy. Any other value parts a pop-up
 * that has been at the issuer from the page that opened it (HTML standard, "check if COOP values require a
 * browsing context group switch"), and that page would wait indefinitely. Revisit if signing in again no longer
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

/** In the order of our preference. */
type Coding = 'br' | 'gzip'
type Bytes = Uint8Array<ArrayBuffer>

/** A file of the UI in all codings that make it smaller. */
interface CodedAsset {
  contentType: string
  identity: Bytes
  coded: ReadonlyMap<Coding, Bytes>
}

/** The name of a file holds a hash of its content, so that the content under a name never changes. */
const cachePublicly = 'public, max-age=31536000, immutable'

/**
 * Compresses once what is served often, outside of the thread that answers.
 *
 * Brotli at 9, not 11: measured on 212 kB of script, 25 ms against 290 ms for 8 % fewer bytes, and every process
 * repeats it. Revisit if the first load comes near its 150 kB.
 */
async function codedAsset({ contentType, bytes }: UiAsset): Promise<CodedAsset> {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  const params = { [BROTLI_PARAM_QUALITY]: 9, [BROTLI_PARAM_SIZE_HINT]: bytes.byteLength }
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params }),
    promisify(gzip)(bytes, { level: 9 }),
  ])
  const all: [Coding, Bytes][] = [
    ['br', br as Bytes],
    ['gzip', gz as Bytes],
  ]
  const smaller = all.filter(([, coded]) => coded.byteLength < bytes.byteLength)
  return { contentType, identity: bytes, coded: new Map(smaller) }
}

/** Answers GET and HEAD in the coding that suits the client best. */
function assetAnswer(
  asset: CodedAsset,
  request: Request,
  headers: Readonly<Record<string, string>>,
): Response {
  const { contentType, identity, coded } = asset
  const coding = chooseCoding(request.headers.get('accept-encoding'), [...coded.keys()])
  const bytes = coding === 'identity' ? identity : coded.get(coding)
  return new Response(bytes, {
    headers: {
      ...headers,
      'content-type': contentType,
      'cache-control': cachePublicly,
      vary: 'Accept-Encoding',
      ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
    },
  })
}
