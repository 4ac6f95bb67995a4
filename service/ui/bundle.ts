import { join } from 'node:path'

/** The Control UI as it is served: one page and the files it asks for. */
export interface UiBundle {
  /** HTML for every address of the UI. */
  index: string
  assets: UiAsset[]
}

/** A file whose name holds a hash of its content, so that it may be cached indefinitely. */
export interface UiAsset {
  /** Such as `/assets/index-2abqd1xe.js`. */
  path: string
  contentType: string
  bytes: Uint8Array<ArrayBuffer>
}

/** Everything in the browser comes from these two; the worker is a program of its own, loaded at first use. */
const page = join(import.meta.dir, 'index.html')
const transferWorker = join(import.meta.dir, 'transfers/transfer-worker.ts')

/**
 * Builds the UI from its sources.
 *
 * @returns the HTML of the page, and every asset with its path and bytes
 *
 * @throws {AggregateError} if they do not build
 */
export async function bundleUi(): Promise<UiBundle> {
  const worker = await build(transferWorker, {})
  const workerUrl = worker.find(({ kind }) => kind === 'entry-point')
  const outputs = await build(page, { transferWorkerUrl: JSON.stringify(workerUrl && pathOf(workerUrl)) })
  const html = outputs.find(({ type }) => type.startsWith('text/html'))
  if (!html) throw new Error('The UI was built without its page.')
  const assets = [...worker, ...outputs].filter((output) => output !== html)
  return { index: preloading(await html.text(), outputs), assets: await Promise.all(assets.map(assetOf)) }
}

/** What the program asks for as soon as it runs is named by the page already, so that both come at once. */
function preloading(html: string, outputs: readonly Bun.BuildArtifact[]): string {
  const issuer = outputs.find(({ path }) => path.includes('/oidc-issuer-'))
  if (!issuer) throw new Error('The UI was built without its way to sign in.')
  return html.replace('</head>', `<link rel="modulepreload" href="${pathOf(issuer)}"></head>`)
}

/** @param constants source text by the global name that stands for it */
async function build(entrypoint: string, constants: Record<string, string>): Promise<Bun.BuildArtifact[]> {
  const { outputs } = await Bun.build({
    entrypoints: [entrypoint],
    target: 'browser',
    minify: true,
    splitting: true,
    publicPath: '/',
    naming: {
      entry: entrypoint === page ? '[name].[ext]' : 'assets/[name]-[hash].[ext]',
      chunk: 'assets/[name]-[hash].[ext]',
      asset: 'assets/[name]-[hash].[ext]',
    },
    // React has another, slower build for development.
    define: { 'process.env.NODE_ENV': '"production"', ...constants },
  })
  return outputs
}

async function assetOf(output: Bun.BuildArtifact): Promise<UiAsset> {
  return { path: pathOf(output), contentType: output.type, bytes: new Uint8Array(await output.arrayBuffer()) }
}

function pathOf({ path }: Bun.BuildArtifact): string {
  return path.replace(/^\./, '')
}
