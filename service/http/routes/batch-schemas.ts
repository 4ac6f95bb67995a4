import { Type } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import {
  DigestText,
  DocumentType,
  DownloadBody,
  Name,
  ProblemShape,
  SignedUrlShape,
  TagName,
} from './schemas.ts'

/** Shapes of the calls about many versions at once, which their bodies name. */

const strict = { additionalProperties: false }

/** A version of the tenant in the path. */
const item = { type: DocumentType, name: Name, digest: DigestText }
const Item = Type.Object(item, strict)

const ItemProblem = Type.Object(
  {
    ...ProblemShape.properties,
    tags: Type.Optional(Type.Array(TagName, { description: 'Of `version_tagged`: tags in the way' })),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, description: 'As the header Retry-After' })),
  },
  {
    $id: 'ItemProblem',
    description: 'What the call about this version alone would have answered (RFC 9457), with its members',
  },
)
const Refused = Type.Object({ ...item, problem: ItemProblem }, strict)

export const HaveBody = Type.Object(
  { documents: Type.Array(Item, { maxItems: limits.haveItemsMax }) },
  { ...strict, $id: 'HaveRequest' },
)
export const HaveShape = Type.Object(
  {
    documents: Type.Array(
      Type.Object(
        { ...item, present: Type.Boolean({ description: 'Whether the store has its bytes' }) },
        strict,
      ),
    ),
  },
  { ...strict, $id: 'Have' },
)

export const DownloadsBody = Type.Object(
  {
    documents: Type.Array(Item, { maxItems: limits.batchItemsMax }),
    ...DownloadBody.properties,
  },
  { ...strict, $id: 'DownloadsRequest' },
)
export const DownloadsShape = Type.Object(
  {
    downloads: Type.Array(
      Type.Union([Type.Object({ ...item, ...SignedUrlShape.properties }, strict), Refused]),
    ),
  },
  { ...strict, $id: 'Downloads' },
)

export const ArchiveBody = Type.Object(
  { documents: Type.Array(Item, { maxItems: limits.archiveItemsMax, description: 'No version twice' }) },
  { ...strict, $id: 'ArchiveRequest' },
)

export const ArchiveLinkShape = Type.Object(
  {
    url: Type.String({
      format: 'uri-reference',
      description: 'Path at this service; a credential until it is used: keep it out of logs',
    }),
    expiresAt: SignedUrlShape.properties.expiresAt,
  },
  { ...strict, $id: 'ArchiveLink' },
)

export const DeleteBody = Type.Object(
  { documents: Type.Array(Item, { maxItems: limits.batchItemsMax, description: 'No version twice' }) },
  { ...strict, $id: 'DeleteRequest' },
)
export const DeletedShape = Type.Object(
  {
    results: Type.Array(Type.Union([Type.Object({ ...item, status: Type.Literal(204) }, strict), Refused])),
  },
  { ...strict, $id: 'Deleted' },
)
