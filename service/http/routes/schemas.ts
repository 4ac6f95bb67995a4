import { type TUnsafe, Type } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import {
  type Digest,
  digestPattern,
  namePattern,
  tagPattern,
  tenantPattern,
  typePattern,
} from '../../wire/names.ts'

/** Shapes of the API (ARCHITECTURE.md, "The API"). They check what comes in, and are what OpenAPI shows. */

const strict = { additionalProperties: false }

export const Tenant = Type.String({ pattern: tenantPattern, description: 'DNS label', examples: ['acme'] })
export const DocumentType = Type.String({ pattern: typePattern, examples: ['deployment-bundles'] })
export const Name = Type.String({ pattern: namePattern, examples: ['orders-api.tgz'] })
export const TagName = Type.String({ pattern: tagPattern, examples: ['production'] })
/** Typed as what its pattern admits. */
export const DigestText = Type.String({
  pattern: digestPattern,
  description: 'SHA-256 of the bytes',
}) as unknown as TUnsafe<Digest>
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' })
const Size = Type.Integer({ minimum: 0, description: 'bytes' })
const Cursor = Type.String({
  minLength: 1,
  maxLength: limits.cursorCharsMax,
  description: 'Opaque; of the page before, for the same tenant and filters',
})
const NextCursor = Type.Union([Cursor, Type.Null()])

export const TenantPath = Type.Object({ tenant: Tenant }, strict)
export const DocumentPath = Type.Object({ tenant: Tenant, type: DocumentType, name: Name }, strict)
export const VersionPath = Type.Object(
  { tenant: Tenant, type: DocumentType, name: Name, digest: DigestText },
  strict,
)
export const TagPath = Type.Object({ tenant: Tenant, type: DocumentType, name: Name, tag: TagName }, strict)

const limitOf = (maximum: number, defaultLimit: number) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum, default: defaultLimit, description: 'Rows of a page at most' }),
  )

const filter = (pattern: string, description: string) => Type.Optional(Type.String({ pattern, description }))

export const TagQuery = Type.Object({ tag: filter(tagPattern, 'Which version; default: latest') }, strict)
export const ListQuery = Type.Object(
  {
    type: filter(typePattern, 'Only documents of this type'),
    name: filter(namePattern, 'Only this document; needs type'),
    namePrefix: filter(namePattern, 'Only names with this beginning; needs type, and excludes name'),
    tag: filter(
      tagPattern,
      'The documents that have this tag, with where it points, instead of versions; needs type, excludes name, and is ' +
        'not latest, which every document has. At most 100 rows, each of which costs the service a small read of the store',
    ),
    limit: limitOf(limits.listLimitMax, limits.listLimitDefault),
    cursor: Type.Optional(Cursor),
  },
  strict,
)
const page = { limit: limitOf(limits.listLimitMax, limits.listLimitDefault), cursor: Type.Optional(Cursor) }
export const TypesQuery = Type.Object(page, strict)
export const NamesQuery = Type.Object(
  {
    type: Type.String({ pattern: typePattern, description: 'The documents of this type' }),
    namePrefix: filter(namePattern, 'Only names with this beginning'),
    include: Type.Optional(
      Type.Union([Type.Literal('latest'), Type.Literal('tags')], {
        description:
          'What each row has as well, at most 100 rows: `tags` costs the service a small read of the store per row, ' +
          '`latest` two, eight rows at a time',
      }),
    ),
    ...page,
  },
  strict,
)
export const VersionsQuery = Type.Object(
  {
    limit: limitOf(limits.versionsLimitMax, limits.versionsLimitMax),
    cursor: Type.Optional(Cursor),
  },
  strict,
)

export const HistoryQuery = Type.Object(
  {
    tag: filter(tagPattern, 'Only changes of this tag'),
    limit: limitOf(limits.historyLimitMax, limits.historyLimitDefault),
    before: filter(
      '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?Z$',
      'Only changes before this time (RFC 3339, UTC); `since` of an answer continues it',
    ),
  },
  strict,
)

export const LinkPath = Type.Object(
  { tenant: Tenant, link: Type.String({ maxLength: 2048, description: 'Of the answer that gave it' }) },
  strict,
)

export const TagBody = Type.Object({ digest: DigestText }, { ...strict, $id: 'TagMove' })

const ref = { tenant: Tenant, type: DocumentType, name: Name, digest: DigestText }

export const DocumentShape = Type.Object(
  {
    ...ref,
    size: Size,
    contentType: Type.String(),
    createdAt: Time,
    createdBy: Type.String({ description: 'Subject of the token that uploaded it first' }),
    tags: Type.Array(TagName),
  },
  { ...strict, $id: 'Document' },
)
export const ListingShape = Type.Object(
  {
    documents: Type.Array(Type.Object({ ...ref, size: Size, storedAt: Time }, strict)),
    nextCursor: NextCursor,
  },
  { ...strict, $id: 'Listing' },
)
const Count = Type.Integer({ minimum: 0 })
export const UsageShape = Type.Object(
  {
    tenant: Tenant,
    startedAt: Type.String({
      format: 'date-time',
      description: 'What was stored or deleted after this time may have been missed',
    }),
    finishedAt: Time,
    types: Type.Array(
      Type.Object({ type: DocumentType, documents: Count, versions: Count, bytes: Count }, strict),
    ),
    newest: Type.Array(Type.Object({ ...ref, size: Size, storedAt: Time }, strict), {
      description: 'The newest versions, the newest first',
    }),
  },
  { ...strict, $id: 'Usage' },
)
export const VersionsShape = Type.Object(
  { versions: Type.Array(DocumentShape), nextCursor: NextCursor },
  { ...strict, $id: 'Versions' },
)
const tag = { ...ref, tag: TagName, movedAt: Time, movedBy: Type.String() }
export const TagShape = Type.Object(tag, { ...strict, $id: 'Tag' })
const ListedTag = Type.Object(
  { ...tag, etag: Type.String({ description: 'As in the header of one tag, without its quotes' }) },
  strict,
)
export const TagsShape = Type.Object(
  { tags: Type.Array(ListedTag, { description: 'By name, ascending' }) },
  { ...strict, $id: 'Tags' },
)
export const TaggedShape = Type.Object(
  { documents: Type.Array(ListedTag), nextCursor: NextCursor },
  {
    ...strict,
    $id: 'Tagged',
    description: 'With `tag`. A page may have fewer rows than asked for, and none at all',
  },
)
export const TypesShape = Type.Object(
  { types: Type.Array(Type.Object({ tenant: Tenant, type: DocumentType }, strict)), nextCursor: NextCursor },
  { ...strict, $id: 'Types' },
)
export const NamesShape = Type.Object(
  {
    names: Type.Array(
      Type.Object(
        {
          ...{ tenant: Tenant, type: DocumentType, name: Name },
          latest: Type.Optional(
            Type.Union([DocumentShape, Type.Null()], { description: '`null`: deleted in the meantime' }),
          ),
          tags: Type.Optional(Type.Array(ListedTag, { description: 'By name, ascending' })),
        },
        strict,
      ),
    ),
    nextCursor: NextCursor,
  },
  { ...strict, $id: 'Names' },
)
export const HistoryShape = Type.Object(
  {
    changes: Type.Array(
      Type.Object(
        {
          tag: TagName,
          action: Type.String({ description: '`tag.put`, `tag.delete`, or the upload that moved `latest`' }),
          at: Time,
          by: Type.String({ description: 'Subject of the token' }),
          digest: Type.Union([DigestText, Type.Null()], { description: '`null`: the tag was removed' }),
          previousDigest: Type.Union([DigestText, Type.Null()], { description: '`null` if not known' }),
          traceId: Type.String(),
        },
        strict,
      ),
    ),
    since: Type.String({
      format: 'date-time',
      description:
        'What is older was not looked at; the changes of this millisecond come again with `before`',
    }),
  },
  { ...strict, $id: 'History' },
)
export const UploadPath = Type.Object(
  { tenant: Tenant, type: DocumentType, name: Name, id: Type.String({ pattern: '^[0-9a-f]{32}$' }) },
  strict,
)
export const TicketBody = Type.Object(
  { digest: DigestText, size: Size, contentType: Type.String({ minLength: 3, maxLength: 255 }) },
  { ...strict, $id: 'TicketRequest' },
)
export const CompletionBody = Type.Object(
  { ticket: Type.String({ minLength: 1, maxLength: 4096 }) },
  { ...strict, $id: 'Completion' },
)
export const DownloadBody = Type.Object(
  {
    expiresInSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.downloadSecondsMax,
        default: limits.downloadSecondsDefault,
      }),
    ),
  },
  { ...strict, $id: 'DownloadRequest' },
)

const Texts = Type.Record(Type.String(), Type.String())
const ticket = {
  id: Type.String(),
  ticket: Type.String({ description: 'For complete' }),
  url: Type.String({ format: 'uri', description: 'A credential while it lives: keep it out of logs' }),
  expiresAt: Time,
  completeBefore: Time,
}
export const TicketShape = Type.Union(
  [
    Type.Object({ ...ticket, method: Type.Literal('POST'), fields: Texts }, strict),
    Type.Object({ ...ticket, method: Type.Literal('PUT'), headers: Texts }, strict),
  ],
  { $id: 'Ticket' },
)
export const PublishedShape = Type.Object({ published: DocumentShape }, { ...strict, $id: 'Published' })
export const SignedUrlShape = Type.Object(
  { url: Type.String({ format: 'uri' }), expiresAt: Time },
  { ...strict, $id: 'SignedUrl' },
)

export const ProblemShape = Type.Object(
  {
    type: Type.String({ format: 'uri-reference' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; decide by this' }),
    traceId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  },
  {
    $id: 'Problem',
    description: 'RFC 9457; some codes add members of their own',
  },
)
