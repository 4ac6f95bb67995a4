import { digestOf, KiB, pathOf, randomDocument, reprDigestOf } from '../service/sample-documents.ts'
import type { ServiceForTests } from '../service/service-for-tests.ts'

type Service = Pick<ServiceForTests, 'url' | 'token'>

const collection = '/v1/tenants/acme/documents'

/** One request; its answer is read to the end, or as far as it comes. */
export async function ask(
  service: Service,
  method: string,
  path: string,
  options: { body?: BodyInit; headers?: Record<string, string>; token?: string } = {},
): Promise<Response> {
  const authorization = `Bearer ${options.token ?? (await service.token())}`
  const headers = { authorization, ...options.headers }
  const response = await fetch(`${service.url}${path}`, { method, headers, body: options.body ?? null })
  await response.arrayBuffer().catch(() => 'broken off')
  return response
}

/** Uploads bytes as a version of `reports/<name>`. */
export function upload(service: Service, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = { 'repr-digest': reprDigestOf(bytes) }
  return ask(service, 'PUT', pathOf('reports', name), { body: bytes, headers })
}

/** What clients of the service do on a usual day, and what some of them try. */
export async function usualTraffic(service: Service): Promise<void> {
  const bytes = randomDocument(300 * KiB)
  const small = randomDocument(4 * KiB)
  await upload(service, 'monthly.pdf', bytes)
  await upload(service, 'monthly.pdf', bytes)
  await upload(service, 'weekly.pdf', small)
  await ask(service, 'GET', pathOf('reports', 'monthly.pdf'))
  await ask(service, 'HEAD', pathOf('reports', 'monthly.pdf'))
  await ask(service, 'GET', `${pathOf('reports', 'weekly.pdf')}/versions/${digestOf(small)}`)
  await ask(service, 'GET', `${pathOf('reports', 'weekly.pdf')}/versions`)
  await ask(service, 'GET', `${collection}?type=reports`)
  const json = { 'content-type': 'application/json' }
  const tag = JSON.stringify({ digest: digestOf(small) })
  await ask(service, 'PUT', `${pathOf('reports', 'weekly.pdf')}/tags/approved`, { body: tag, headers: json })
  await ask(service, 'GET', `${pathOf('reports', 'weekly.pdf')}/tags/approved`)
  const ticket = JSON.stringify({ digest: digestOf(bytes), size: 7, contentType: 'text/plain' })
  await ask(service, 'POST', `${pathOf('reports', 'daily.pdf')}/uploads`, { body: ticket, headers: json })
  await ask(service, 'GET', pathOf('reports', 'absent.pdf'))
  await ask(service, 'GET', `${collection}?type=reports`, { token: 'no token of ours' })
  const reader = await service.token({ scope: 'documents:read' })
  await ask(service, 'PUT', pathOf('reports', 'mine.pdf'), { body: small, token: reader })
}
