import type { DocumentsClient } from '../../../service/client/client.ts'
import { createDocumentsClient } from '../../../service/client/client.ts'
import { type Config, parseConfig } from '../../../service/config/config.ts'
import { createService } from '../../../service/create-service.ts'
import type { Documents } from '../../../service/documents/documents.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import type { UiSettings } from '../../../service/wire/ui-settings.ts'
import { type IssuerForTests, startIssuerForTests } from '../issuers/issuer-for-tests.ts'
import { minioCapabilities } from '../stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../stores/memory-object-store.ts'

/** The real service and a real issuer on loopback, with the documents in memory. */
export interface ServiceForUi {
  origin: string
  issuer: IssuerForTests
  settings: UiSettings
  /** Everything that was asked of the service, as `GET /v1/…`. */
  asked: string[]
  /** Answers in its place, where it gives a response; `null` lets the service answer. */
  intercept: (request: Request) => Response | Promise<Response> | null
  /** Whether signed URLs lead to the store; otherwise they are refused, as for a page that CORS keeps out. */
  isStoreOpen: boolean
  /** What the service takes its store for. */
  capabilities: StoreCapabilities
  documents: Documents
  client(tenant?: string): Promise<DocumentsClient>
  stop(): Promise<void>
}

export async function startServiceForUi(
  options: { accessTokenSeconds?: number } = {},
): Promise<ServiceForUi> {
  const issuer = await startIssuerForTests(options)
  const store = createMemoryObjectStore({})
  const storeUrl = () => `${service.origin}/store`
  const { answer, documents } = await createService(await configFor(issuer), {
    store,
    signer: {
      postForm: async ({ key }) => ({ url: storeUrl(), fields: { key } }),
      put: () => Promise.reject(new Error('no presigned PUT here')),
      get: async ({ key }) => `${storeUrl()}?${new URLSearchParams({ key })}`,
    },
    capabilities: () => service.capabilities,
    logDestination: { write: () => undefined },
    ui: null,
  })
  const asked: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push(`${request.method} ${pathname}${search}`)
      if (pathname === '/store' && service.isStoreOpen) return storeAnswer(store, request)
      return (await service.intercept(request)) ?? answer(request)
    },
  })
  const origin = `http://127.0.0.1:${server.port}`
  issuer.admitUi(origin)
  const service: ServiceForUi = {
    origin,
    issuer,
    settings: {
      issuer: issuer.issuer,
      clientId: issuer.clientId,
      audience: issuer.audience,
      scope: 'openid documents:read documents:write documents:admin',
      traceUrlTemplate: 'https://traces.example.com/{traceId}',
    },
    asked,
    intercept: () => null,
    isStoreOpen: true,
    capabilities: minioCapabilities,
    documents,
    client: async (tenant = 'acme') =>
      createDocumentsClient({ url: origin, tenant, token: await issuer.token({ tenants: [tenant] }) }),
    async stop() {
      await server.stop(true)
      await issuer.stop()
    },
  }
  return service
}

/** The object store that it names is never called. */
function configFor({ issuer, audience, jwksUrl, clientId }: IssuerForTests): Promise<Config> {
  const environment = {
    S3_ENDPOINT: 'https://store.example.com',
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY_ID: 'documents',
    S3_SECRET_ACCESS_KEY: crypto.randomUUID(),
    S3_BUCKET_DOCS: 'documents',
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_JWKS_URL: jwksUrl,
    AUTH_CLIENT_ID: clientId,
    DOCUMENT_BYTES_MAX: String(64 * 1024 * 1024),
  }
  return parseConfig(environment, () => '')
}

/** As much of a store's public side as a signed form and a signed URL need. */
async function storeAnswer(store: ObjectStore, request: Request): Promise<Response> {
  if (request.method === 'GET') {
    const object = await store.get(new URL(request.url).searchParams.get('key') ?? '')
    return object ? new Response(object.body) : new Response(null, { status: 404 })
  }
  const form = await request.formData()
  const file = form.get('file')
  if (!(file instanceof Blob)) return new Response(null, { status: 400 })
  const bytes = new Uint8Array(await file.arrayBuffer())
  await store.put(String(form.get('key')), bytes, { size: bytes.length, contentType: file.type })
  return new Response(null, { status: 204 })
}
