import type { ArchiveLinks } from '../../documents/archives/archive-links.ts'
import type { Archive, Documents } from '../../documents/documents.ts'
import { limits } from '../../limits.ts'
import { archiveSizeHeader } from '../../wire/archive.ts'
import type { VersionRef } from '../../wire/names.ts'
import { readJson } from '../request-form.ts'
import { type AdmittedContext, defineRoute, json, noStore, type Route } from '../route.ts'
import { refuseRepeated } from './batch-routes.ts'
import { ArchiveBody, ArchiveLinkShape } from './batch-schemas.ts'
import { LinkPath, TenantPath } from './schemas.ts'

const collection = '/v1/tenants/:tenant/documents'
/** Not below the documents, where it would be the address of a document of the type `archives`. */
const linked = '/v1/tenants/:tenant/archives/:link'

const archiveHeaders = {
  ...noStore,
  'Content-Disposition': 'attachment; filename="documents.tar"',
  'Referrer-Policy': 'no-referrer',
}
const described = { ...archiveHeaders, [archiveSizeHeader]: 'Bytes of the archive' }

/** Many versions as one tar (ARCHITECTURE.md, "How an archive is sent"). */
export function archiveRoutes(documents: Documents, links: ArchiveLinks): Route[] {
  const asking = {
    method: 'POST',
    params: TenantPath,
    body: { json: ArchiveBody, bytesMax: limits.archiveBodyBytesMax },
  } as const
  const linkedTo = {
    path: linked,
    action: 'archive.read',
    credential: 'link',
    params: LinkPath,
    problems: ['link_expired'],
  } as const

  async function versionsIn(request: Request, params: { tenant: string }): Promise<VersionRef[]> {
    const { documents: items } = await readJson(request, ArchiveBody, limits.archiveBodyBytesMax)
    refuseRepeated(items)
    return items.map((item) => ({ ...params, ...item }))
  }

  const open = (refs: VersionRef[], request: Request, context: AdmittedContext) =>
    documents.archive(refs, { signal: request.signal, onBodyFailure: context.bodyFailed })

  return [
    defineRoute({
      ...asking,
      path: `${collection}/archive`,
      action: 'archive.read',
      summary:
        'Download many versions as one tar: `manifest.json`, then `<type>/<name>` of each in the order asked',
      answers: [{ status: 200, description: 'A tar, streamed', body: 'tar', headers: described }],
      async handle({ params, request, context }) {
        const refs = await versionsIn(request, params)
        return answerWith(await open(refs, request, context), refs, context)
      },
    }),

    defineRoute({
      ...asking,
      path: `${collection}/archives`,
      action: 'archive.create',
      summary: 'Ask for a link that gives the tar of many versions once, without a token: for browsers',
      answers: [{ status: 201, description: 'A link', body: ArchiveLinkShape, headers: noStore }],
      async handle({ params, request, context }) {
        const refs = await versionsIn(request, params)
        const { body } = await open(refs, request, context)
        await body.cancel()
        const by = context.principal.subject
        const { id, link, expiresAt } = await links.create(params.tenant, refs, { by })
        for (const ref of refs) context.auditSignedUrl({ id, expiresAt }, ref)
        return json(201, { url: `/v1/tenants/${params.tenant}/archives/${link}`, expiresAt })
      },
    }),

    defineRoute({
      ...linkedTo,
      method: 'HEAD',
      summary: 'Whether a link is still good, and how large its archive is. It is not used by this',
      answers: [{ status: 200, description: 'It is good', body: null, headers: described }],
      async handle({ params, request, context }) {
        const { refs } = await links.read(await links.open(params.link), request.signal)
        const { size, body } = await open(refs, request, context)
        await body.cancel()
        return new Response(null, { headers: { ...headersOf(size), 'content-length': String(size) } })
      },
    }),

    defineRoute({
      ...linkedTo,
      method: 'GET',
      summary: 'Download the archive of a link, which is good once',
      answers: [{ status: 200, description: 'A tar, streamed', body: 'tar', headers: described }],
      async handle({ params, request, context }) {
        const { refs, use } = await links.read(await links.open(params.link), request.signal)
        const archive = await open(refs, request, context)
        try {
          await use()
        } catch (error) {
          await archive.body.cancel()
          throw error
        }
        return answerWith(archive, refs, context)
      },
    }),
  ]
}

/** Writes the audit line of each version before the first byte of it is sent. */
function answerWith(
  { size, body }: Archive,
  refs: readonly VersionRef[],
  context: AdmittedContext,
): Response {
  for (const ref of refs) context.auditItem(ref)
  return new Response(body as BodyInit, { headers: headersOf(size) })
}

function headersOf(size: number): Record<string, string> {
  return { ...archiveHeaders, 'content-type': 'application/x-tar', [archiveSizeHeader]: String(size) }
}
