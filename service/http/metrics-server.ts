import { listen, type RunningServer } from './server.ts'

/** What is measured, as text, made when it is asked for. */
export interface Exposition {
  contentType: string
  exposition(): Promise<string>
}

/**
 * Serves `/metrics` on a listener of its own, so that the network can let clients through to the API alone. Every other address is 404, every other method there 405, both without a body.
 */
export function listenForMetrics(
  address: { host: string; port: number },
  metrics: Exposition,
): RunningServer {
  async function answer(request: Request): Promise<Response> {
    if (new URL(request.url, 'http://localhost').pathname !== '/metrics') return codeOnly(404)
    if (!['GET', 'HEAD'].includes(request.method)) return codeOnly(405, { allow: 'GET, HEAD' })
    const headers = { 'content-type': metrics.contentType, 'cache-control': 'no-store' }
    const text = await metrics.exposition()
    if (request.method === 'GET') return new Response(text, { headers })
    return new Response(null, { headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) } })
  }
  return listen(address, { fetch: answer })
}

function codeOnly(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { ...headers, 'cache-control': 'no-store' } })
}
