import type { TSchema } from '@sinclair/typebox'
import type { JsonSchema } from './types.ts'

/** Takes TypeBox schemas into a document. Those with an `$id` are described once, under that name. */
export interface SchemaRegistry {
  /** The schema as OpenAPI has it: a reference if it has a name. */
  describe(schema: TSchema): JsonSchema
  /** `components.schemas`: what was referred to so far. */
  named(): Record<string, JsonSchema>
}

/** Returns an empty registry. OpenAPI 3.1 takes JSON Schema 2020-12 as it is, which is what TypeBox writes. */
export function createSchemaRegistry(): SchemaRegistry {
  const components: Record<string, JsonSchema> = {}

  function referred(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(referred)
    if (typeof value !== 'object' || value === null) return value
    const { $id, ...schema } = value as Record<string, unknown>
    const described = Object.fromEntries(
      Object.entries(schema).map(([keyword, nested]) => [keyword, referred(nested)]),
    )
    if (typeof $id !== 'string') return described
    const example = examples[$id]
    components[$id] ??= example === undefined ? described : { ...described, examples: [example] }
    return { $ref: `#/components/schemas/${$id}` }
  }

  return {
    // TypeBox keeps its own notes under symbols, which JSON leaves out.
    describe: (schema) => referred(JSON.parse(JSON.stringify(schema))) as JsonSchema,
    named: () => components,
  }
}

/** One value of every named schema, as readers of the document will see it. */

const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const version = { tenant: 'acme', type: 'deployment-bundles', name: 'orders-api.tgz', digest }
const document = {
  ...version,
  size: 5,
  contentType: 'application/gzip',
  createdAt: '2026-11-23T10:00:00.000Z',
  createdBy: 'alice',
  tags: ['latest', 'production'],
}
/** A version as a body names it. */
const item = { type: version.type, name: version.name, digest }
const signedUrl = {
  url: 'https://store.example/cloudlysis-docs/docs/tenants/acme?X-Amz-Expires=300',
  expiresAt: '2026-11-23T10:05:00.000Z',
}
const id = '00000000000000000000000000000001'
const moved = { ...version, tag: 'production', movedAt: '2026-11-23T10:00:00.000Z', movedBy: 'alice' }
const tag = { ...moved, etag: id }
/** A ticket is a compact JWS; this one only has the shape. */
const ticket = 'header.payload.signature'

export const exampleTraceId = '4bf92f3577b34da6a3ce929d0e0e4736'

const examples: Readonly<Record<string, unknown>> = {
  Document: document,
  Listing: { documents: [{ ...version, size: 5, storedAt: '2026-11-23T10:00:00.000Z' }], nextCursor: null },
  Versions: { versions: [document], nextCursor: null },
  Tag: moved,
  Tags: { tags: [tag] },
  Tagged: { documents: [tag], nextCursor: null },
  Types: { types: [{ tenant: 'acme', type: 'deployment-bundles' }], nextCursor: null },
  Names: {
    names: [{ tenant: 'acme', type: 'deployment-bundles', name: 'orders-api.tgz', tags: [tag] }],
    nextCursor: null,
  },
  Usage: {
    tenant: 'acme',
    startedAt: '2026-11-23T10:00:00.000Z',
    finishedAt: '2026-11-23T10:03:20.000Z',
    types: [{ type: 'deployment-bundles', documents: 12, versions: 340, bytes: 7_516_192_768 }],
    newest: [{ ...version, size: 5, storedAt: '2026-11-23T10:00:00.000Z' }],
  },
  TagMove: { digest },
  History: {
    changes: [
      {
        ...{ tag: 'production', action: 'tag.put', at: '2026-11-23T10:00:00.000Z', by: 'alice', digest },
        ...{ previousDigest: null, traceId: '4bf92f3577b34da6a3ce929d0e0e4736' },
      },
    ],
    since: '2026-10-24T10:00:00.000Z',
  },
  TicketRequest: { digest, size: 5, contentType: 'application/gzip' },
  Ticket: {
    id,
    ticket,
    method: 'POST',
    url: 'https://store.example/cloudlysis-docs',
    fields: { key: `docs/staging/acme/${id}`, 'Content-Type': 'application/gzip' },
    expiresAt: '2026-11-23T10:15:00.000Z',
    completeBefore: '2026-11-23T16:00:00.000Z',
  },
  Published: { published: document },
  Completion: { ticket },
  ItemProblem: {
    type: 'urn:cloudlysis:problem:version_tagged',
    title: 'The version is tagged',
    status: 409,
    detail: 'The version is tagged "production". Move or remove these tags first.',
    code: 'version_tagged',
    traceId: exampleTraceId,
    tags: ['production'],
  },
  ArchiveRequest: { documents: [item] },
  ArchiveLink: { url: '/v1/tenants/acme/archives/header.payload.signature', expiresAt: signedUrl.expiresAt },
  HaveRequest: { documents: [item] },
  Have: { documents: [{ ...item, present: true }] },
  DownloadsRequest: { documents: [item], expiresInSeconds: 300 },
  Downloads: { downloads: [{ ...item, ...signedUrl }] },
  DeleteRequest: { documents: [item] },
  Deleted: { results: [{ ...item, status: 204 }] },
  DownloadRequest: { expiresInSeconds: 300 },
  SignedUrl: signedUrl,
}
