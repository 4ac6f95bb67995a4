import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { Action } from '../../authz/policy.ts'
import type { Documents } from '../../documents/documents.ts'
import { limits } from '../../limits.ts'
import type { Document } from '../../wire/answers.ts'
import { formatEntityTag } from '../../wire/entity-tag.ts'
import type { VersionRef } from '../../wire/names.ts'
import { latestTag } from '../../wire/names.ts'
import type { ProblemCode } from '../../wire/problems.ts'
import { cacheImmutable, cacheNever, getVersion, headVersion } from '../download.ts'
import { contentLength } from '../headers/content-length.ts'
import { declaredDigest } from '../headers/declared-digest.ts'
import { documentMediaType } from '../headers/media-type.ts'
import { writeCondition } from '../headers/write-condition.ts'
import { discardAnswer } from '../passed-on.ts'
import { ProblemError } from '../problem.ts'
import {
  type Answer,
  defineRoute,
  json,
  noQuery,
  noStore,
  type Route,
  type RouteCall,
  recordProblems,
} from '../route.ts'
import {
  DocumentPath,
  DocumentShape,
  ListingShape,
  ListQuery,
  TaggedShape,
  TagQuery,
  TenantPath,
  VersionPath,
  VersionsQuery,
  VersionsShape,
} from './schemas.ts'

/** How the bytes of a version are read at one address. */
interface ReadRoute<Path extends TObject, Query extends TObject> {
  path: string
  action: Action
  params: Path
  query: Query
  summary: string
  cacheControl: string
  /** Of finding out which version is meant. */
  problems: readonly ProblemCode[]
  /** Finds out which version is meant, and reads it. */
  withVersion(
    call: RouteCall<Static<Path>, Static<Query>>,
    read: (version: VersionRef) => Promise<Response>,
  ): Promise<Response>
}

const collection = '/v1/tenants/:tenant/documents'
const document = `${collection}/:type/:name`
const version = `${document}/versions/:digest`

/** Calls on documents and their versions (ARCHITECTURE.md, "The API"). */
export function documentRoutes(documents: Documents): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: collection,
      action: 'document.list',
      params: TenantPath,
      query: ListQuery,
      summary: 'List versions in the order of their keys, or the documents that have a tag',
      answers: [
        {
          status: 200,
          description: 'One page',
          body: Type.Union([ListingShape, TaggedShape]),
          headers: noStore,
        },
      ],
      problems: ['cursor_invalid', 'integrity_violated'],
      async handle({ params, query, request }) {
        refuseConflictingFilters(query)
        const { type, tag, ...others } = query
        const limit = query.limit ?? limits.listLimitDefault
        if (type === undefined || tag === undefined)
          return json(200, await documents.list({ ...params, type, ...others, limit }, request.signal))
        return json(200, await documents.tagged({ ...params, type, tag, ...others, limit }, request.signal))
      },
    }),

    defineRoute({
      method: 'PUT',
      path: document,
      action: 'document.put',
      params: DocumentPath,
      body: 'document',
      summary:
        'Upload bytes as a version, and move "latest" to it: the version whose upload was acknowledged last',
      requestHeaders: {
        'If-Match': 'Entity tags, one of which the latest version must have: compare and set',
        'If-None-Match': 'Entity tags, none of which the latest version may have; "*" for a new document',
      },
      answers: [
        { status: 201, description: 'A new version', body: DocumentShape, headers: placed },
        { status: 200, description: 'The version existed already', body: DocumentShape, headers: placed },
      ],
      problems: [
        'precondition_failed',
        'document_too_large',
        'body_incomplete',
        'digest_required',
        'media_type_unsupported',
        'upload_changed',
        ...recordProblems,
      ],
      async handle({ params, request, context }) {
        refuseContentRange(request.headers)
        const { document, created } = await documents.put(params, {
          body: request.body ?? emptyBody(),
          size: contentLength(request),
          digest: declaredDigest(request.headers),
          contentType: documentMediaType(request.headers),
          condition: writeCondition(request.headers),
          by: context.principal.subject,
          admittedAt: context.admittedAt,
          traceId: context.trace.traceId,
          signal: request.signal,
        })
        context.found({ digest: document.digest })
        return json(created ? 201 : 200, document, placedHeaders(document))
      },
    }),

    ...readRoutes({
      path: document,
      action: 'document.read',
      params: DocumentPath,
      query: TagQuery,
      summary: 'the version that a tag points to',
      cacheControl: cacheNever,
      // Of the record, which may be damaged.
      problems: ['integrity_violated'],
      withVersion: ({ params, query: { tag = latestTag }, request }, read) =>
        documents.byTag(params, tag, read, {
          discard: discardAnswer,
          signal: request.signal,
        }),
    }),

    defineRoute({
      method: 'GET',
      path: `${document}/versions`,
      action: 'version.list',
      params: DocumentPath,
      query: VersionsQuery,
      summary: 'Versions of a document, newest first, with their tags',
      answers: [{ status: 200, description: 'One page', body: VersionsShape, headers: noStore }],
      problems: ['cursor_invalid', 'versions_exhausted', 'integrity_violated'],
      async handle({ params, query, request }) {
        const page = { limit: query.limit ?? limits.versionsLimitMax, cursor: query.cursor }
        return json(200, await documents.versions(params, page, request.signal))
      },
    }),

    ...readRoutes({
      path: version,
      action: 'version.read',
      params: VersionPath,
      query: noQuery,
      summary: 'one version',
      cacheControl: cacheImmutable,
      problems: [],
      withVersion: ({ params }, read) => read(params),
    }),

    defineRoute({
      method: 'DELETE',
      path: version,
      action: 'version.delete',
      params: VersionPath,
      summary: 'Delete a version permanently; "latest" moves back to the version before it',
      answers: [{ status: 204, description: 'It is gone', body: null, headers: {} }],
      problems: ['version_tagged', 'version_locked', ...recordProblems],
      async handle({ params, request, context }) {
        await documents.deleteVersion(params, { by: context.principal.subject, signal: request.signal })
        return new Response(null, { status: 204 })
      },
    }),
  ]

  /** GET and HEAD of bytes, which differ only in how the version is named. */
  function readRoutes<Path extends TObject, Query extends TObject>(read: ReadRoute<Path, Query>): Route[] {
    const { path, action, params, query, summary, cacheControl, problems } = read
    const validators = { ETag: 'Quoted digest', 'Cache-Control': cacheControl, Vary: 'Authorization' }
    const headers = { ...validators, ...bytesHeaders }
    const notModified: Answer = {
      status: 304,
      description: 'The client has these bytes',
      body: null,
      headers: validators,
    }
    const answer = (
      call: RouteCall<Static<Path>, Static<Query>>,
      respond: (version: VersionRef) => Promise<Response>,
    ) =>
      read.withVersion(call, (version) => {
        call.context.found({ digest: version.digest })
        return respond(version)
      })
    const shared = { path, action, params, query }
    return [
      defineRoute({
        ...shared,
        method: 'HEAD',
        summary: `Metadata of ${summary}`,
        requestHeaders: conditionHeaders,
        answers: [
          { status: 200, description: 'It exists', body: null, headers: { ...headers, ...sized } },
          notModified,
        ],
        problems: [...problems, 'precondition_failed'],
        handle: (call) =>
          answer(call, (version) => headVersion(documents, version, call.request, cacheControl)),
      }),
      defineRoute({
        ...shared,
        method: 'GET',
        summary: `Bytes of ${summary}`,
        requestHeaders: { ...conditionHeaders, ...rangeHeaders },
        answers: [
          {
            status: 200,
            description: 'All bytes, verified while they are sent',
            body: 'bytes',
            headers,
          },
          {
            status: 206,
            description: 'The range; verify the whole document against Repr-Digest',
            body: 'bytes',
            headers: { ...headers, 'Content-Range': 'Which bytes of how many' },
          },
          notModified,
        ],
        problems: ['precondition_failed', 'range_unsatisfiable', 'integrity_violated'],
        handle: (call) => answer(call, (version) => getVersion(documents, version, call, cacheControl)),
      }),
    ]
  }
}

const placed = { ...noStore, Location: 'Address of the version', ETag: 'Quoted digest' }
const sized = { 'Content-Length': 'Bytes of the document' }
const conditionHeaders = {
  'If-Match': 'Entity tags, one of which the version must have',
  'If-None-Match': 'Entity tags that the client has: 304 for one of them',
}
const rangeHeaders = {
  Range: 'One range of bytes (RFC 9110 section 14.2)',
  'If-Range': 'Entity tag for which Range holds',
}
const bytesHeaders = {
  'Content-Type': 'As uploaded',
  'Content-Disposition': 'attachment, with the name',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Repr-Digest': 'SHA-256 of the whole document (RFC 9530)',
  'Document-Size': 'Bytes of the whole document; streamed answers have no Content-Length',
  'Accept-Ranges': 'bytes',
}

function placedHeaders({ tenant, type, name, digest }: Document): Record<string, string> {
  return {
    location: `/v1/tenants/${tenant}/documents/${type}/${name}/versions/${digest}`,
    etag: formatEntityTag(digest),
  }
}

/** RFC 9110 section 14.5: a part taken for the whole would be a different document. */
function refuseContentRange(headers: Headers): void {
  if (headers.get('content-range') === null) return
  throw new ProblemError('request_invalid', 'Content-Range is not supported: send the whole document.')
}

/** @throws {ProblemError} `request_invalid` for filters that do not go together. */
function refuseConflictingFilters({ type, name, namePrefix, tag, limit }: Static<typeof ListQuery>): void {
  const refuse = (detail: string) => new ProblemError('request_invalid', detail)
  if (type === undefined && (name ?? namePrefix ?? tag) !== undefined)
    throw refuse('Filters by name or tag need "type" too.')
  if (name !== undefined && namePrefix !== undefined) throw refuse('Give "name" or "namePrefix", not both.')
  if (tag === undefined) return
  if (name !== undefined)
    throw refuse('Give "name" or "tag", not both: …/{type}/{name}/tags/{tag} is one tag.')
  if (tag === latestTag)
    throw refuse('Every document has "latest": list …/documents/names?type=…&include=latest instead.')
  if (limit !== undefined && limit > limits.taggedLimitMax)
    throw refuse(
      `A page by tag has at most ${limits.taggedLimitMax} rows. Lower "limit" and continue by "cursor".`,
    )
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() })
}
