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
const id = '00000000000000000000000000000001'
/** A ticket is a compact JWS; this one only has the shape. */
const ticket = 'header.payload.signature'

export const exampleTraceId = '4bf92f3577b34da6a3ce929d0e0e4736'

export const examples: Readonly<Record<string, unknown>> = {
  Document: document,
  Listing: { documents: [{ ...version, size: 5, storedAt: '2026-11-23T10:00:00.000Z' }], nextCursor: null },
  Versions: { versions: [document], nextCursor: null },
  Tag: { ...version, tag: 'production', movedAt: '2026-11-23T10:00:00.000Z', movedBy: 'alice' },
  TagMove: { digest },
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
  DownloadRequest: { expiresInSeconds: 300 },
  SignedUrl: {
    url: 'https://store.example/cloudlysis-docs/docs/tenants/acme?X-Amz-Expires=300',
    expiresAt: '2026-11-23T10:05:00.000Z',
  },
}
