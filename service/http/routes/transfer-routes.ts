import type { Transfers } from '../../documents/transfers.ts'
import { documentMediaTypeOf } from '../headers/media-type.ts'
import { readJson, readOptionalJson } from '../request-form.ts'
import { defineRoute, json, noStore, type Route, recordProblems } from '../route.ts'
import {
  CompletionBody,
  DocumentPath,
  DocumentShape,
  DownloadBody,
  PublishedShape,
  SignedUrlShape,
  TicketBody,
  TicketShape,
  UploadPath,
  VersionPath,
} from './schemas.ts'

const uploads = '/v1/tenants/:tenant/documents/:type/:name/uploads'
const downloads = '/v1/tenants/:tenant/documents/:type/:name/versions/:digest/downloads'

/** Calls that hand out signed URLs, and the completion of uploads (ARCHITECTURE.md, "Upload tickets"). */
export function transferRoutes(transfers: Transfers): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: uploads,
      action: 'upload.create',
      params: DocumentPath,
      body: { json: TicketBody },
      summary: 'Ask for a ticket to upload straight to the object store',
      answers: [
        { status: 201, description: 'A ticket', body: TicketShape, headers: noStore },
        { status: 200, description: 'The bytes are stored already', body: PublishedShape, headers: noStore },
      ],
      problems: ['document_too_large', 'tickets_unavailable', 'store_unknown', ...recordProblems],
      async handle({ params, request, context }) {
        const { digest, size, contentType } = await readJson(request, TicketBody)
        context.found({ digest })
        const created = await transfers.createUpload(params, {
          digest,
          size,
          contentType: documentMediaTypeOf(contentType),
          by: context.principal.subject,
          admittedAt: context.admittedAt,
          traceId: context.trace.traceId,
          signal: request.signal,
        })
        if ('published' in created) return json(200, created)
        const { id, expiresAt } = created.ticket
        context.auditSignedUrl({ id, expiresAt })
        return json(201, created.ticket)
      },
    }),

    defineRoute({
      method: 'POST',
      path: `${uploads}/:id/complete`,
      action: 'upload.complete',
      params: UploadPath,
      body: { json: CompletionBody },
      isLong: true,
      summary: 'Verify and publish what was uploaded with a ticket',
      answers: [
        { status: 201, description: 'A new version', body: DocumentShape, headers: noStore },
        { status: 200, description: 'The version existed already', body: DocumentShape, headers: noStore },
        {
          status: 202,
          description: 'Still being verified: ask again',
          body: null,
          headers: { ...noStore, 'Retry-After': 'Seconds' },
        },
      ],
      problems: [
        'ticket_invalid',
        'digest_mismatch',
        'upload_not_found',
        'upload_changed',
        'upload_expired',
        'conflict',
        ...recordProblems,
      ],
      async handle({ params: { id, ...ref }, request, context }) {
        const { ticket } = await readJson(request, CompletionBody)
        const by = context.principal.subject
        const done = await transfers.completeUpload(ref, id, { ticket, by, traceId: context.trace.traceId })
        if (!done) return new Response(null, { status: 202, headers: { ...noStore, 'retry-after': '1' } })
        context.found({ digest: done.document.digest })
        return json(done.created ? 201 : 200, done.document)
      },
    }),

    defineRoute({
      method: 'POST',
      path: downloads,
      action: 'download.create',
      params: VersionPath,
      body: { json: DownloadBody, optional: true },
      summary: 'Ask for a URL that gives the bytes straight from the object store',
      answers: [{ status: 201, description: 'A signed URL', body: SignedUrlShape, headers: noStore }],
      async handle({ params, request, context }) {
        const { expiresInSeconds } = (await readOptionalJson(request, DownloadBody)) ?? {}
        const { signal } = request
        const { id, url, expiresAt } = await transfers.createDownload(params, { expiresInSeconds, signal })
        context.auditSignedUrl({ id, expiresAt })
        return json(201, { url, expiresAt })
      },
    }),
  ]
}
