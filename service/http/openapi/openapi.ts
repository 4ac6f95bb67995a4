import type { TObject, TSchema } from '@sinclair/typebox'
import { version } from '../../../package.json'
import { type Action, neededScopes } from '../../authz/policy.ts'
import type { ProblemCode } from '../../wire/problems.ts'
import { pageHeaders } from '../pages/page.ts'
import { type Answer, jsonBytesMax, type Route } from '../route.ts'
import { ProblemShape } from '../routes/schemas.ts'
import { describeHeaders, headerComponents } from './headers.ts'
import { createProblemAnswers, type ProblemAnswers, problemsOf, publicProblems } from './problems.ts'
import { createSchemaRegistry, type SchemaRegistry } from './schemas.ts'
import type {
  Answered,
  JsonSchema,
  MediaType,
  OpenApiDocument,
  Operation,
  OperationMethod,
  Parameter,
  PathItem,
  Reference,
} from './types.ts'

/** Problems before any operation is found: for unknown addresses, and for methods that an address does not know. */
const beforeAnyRoute: ProblemCode[] = [
  'host_invalid',
  'credentials_missing',
  'credentials_invalid',
  'document_not_found',
  'internal_error',
  'issuer_unavailable',
]

/**
 * Describes the API in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html). The document is made from the table of
 * routes, so that it describes exactly what is served.
 */
export function describeApi(
  routes: readonly Route[],
  { documentBytesMax }: { documentBytesMax: number },
): OpenApiDocument {
  const schemas = createSchemaRegistry()
  const problemAnswers = createProblemAnswers(schemas.describe(ProblemShape))
  const parts: OperationParts = { schemas, problemAnswers, documentBytesMax }
  const paths = { ...describeRoutes(routes, parts), ...describePublicPages(problemAnswers) }
  const unknown = problemAnswers.describe([...beforeAnyRoute, 'route_not_found'])
  return {
    openapi: '3.1.1',
    info: {
      title: 'Cloudlysis documents',
      version,
      summary: 'Versioned, content-addressed documents of many tenants',
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The service that sent this document' }],
    tags,
    paths,
    components: {
      schemas: schemas.named(),
      headers: headerComponents,
      parameters: parameterComponents,
      responses: problemAnswers.named(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: tokenDescription },
      },
    },
    'x-unknown-address': unknown,
  }
}

function describeRoutes(routes: readonly Route[], parts: OperationParts): Record<string, PathItem> {
  const others = parts.problemAnswers.describe([...beforeAnyRoute, 'scope_missing', 'method_not_allowed'])
  const paths: Record<string, PathItem> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/gi, '{$1}')
    const method = route.method.toLowerCase() as OperationMethod
    paths[path] ??= { 'x-other-methods': others }
    paths[path][method] = describeOperation(route, parts)
  }
  return paths
}

const tags = [
  {
    name: 'Documents',
    description: 'The latest or a tagged version of a document under its name, and the list of all versions.',
  },
  { name: 'Versions', description: 'Bytes under their SHA-256: they never change.' },
  { name: 'Tags', description: 'Names that can be moved from version to version.' },
  {
    name: 'Transfers',
    description: 'Uploads and downloads that go straight between the client and the object store.',
  },
  { name: 'Service', description: 'For operators and readers; no token is needed.' },
]

const tokenDescription =
  'A JWT of the configured issuer. Its claim `tenants` lists its tenants, and its claim `scope` what it allows in ' +
  'each of them.'

const description = `A version *is* the SHA-256 of its bytes: checked while it is written, checked again while it
is read, and never changed. Tags are names that can be moved from version to version; \`latest\` follows the uploads.

Every failure is a problem document (RFC 9457) with a stable \`code\`; decide by that. A request is checked in this
order: the token (401); the tenant, where one that is not in the token is 404 as an absent document is, whatever is
asked of it; the scope (403); the method (405); size, media type and form of the request (413, 415, 422). Only then is
the object store called.

OpenAPI has no place for two things: \`x-other-methods\` of a path describes what it answers to methods without an
operation, and \`x-unknown-address\` what every other address answers. A request that is not well-formed HTTP gets a
bare 4xx from the HTTP server below the service.

A download that turns out to be damaged while it is streamed ends early, and so does one whose object store stops
answering: the connection is closed, and what arrived is never a complete answer.`

/** What the operations of a document have in common. */
interface OperationParts {
  schemas: SchemaRegistry
  problemAnswers: ProblemAnswers
  documentBytesMax: number
}

type Noun = Action extends `${infer Name}.${string}` ? Name : never

/** Heading under which operations on the noun of an action stand. */
const tagOfNoun: Record<Noun, string> = {
  document: 'Documents',
  type: 'Documents',
  name: 'Documents',
  usage: 'Documents',
  version: 'Versions',
  tag: 'Tags',
  history: 'Tags',
  upload: 'Transfers',
  download: 'Transfers',
  archive: 'Transfers',
}

/** Describes the operation of one route, as `paths` has it. */
function describeOperation(route: Route, parts: OperationParts): Operation {
  const [noun, verb] = route.action.split('.') as [Noun, string]
  const scope = neededScopes[route.action]
  const answers = route.answers.map((answer): [string, Answered] => [
    String(answer.status),
    describeAnswer(route, answer, parts.schemas),
  ])
  return {
    operationId: operationIdOf(route, noun, verb),
    summary: route.summary,
    description: route.credential
      ? 'Needs no token: the link in the path is the credential. It is good once, and for minutes.'
      : `Needs the tenant in the token, and the scope \`${scope}\`.`,
    tags: [tagOfNoun[noun]],
    security: route.credential ? [] : [{ bearer: [scope] }],
    parameters: describeParameters(route, parts.schemas, parts.documentBytesMax),
    ...describeBody(route.body, parts),
    responses: { ...Object.fromEntries(answers), ...parts.problemAnswers.describe(problemsOf(route)) },
  }
}

/** `document.list` → `listDocuments`, HEAD of `version.read` → `headVersion`, `version.delete` of many → `deleteVersions`. */
function operationIdOf({ method, many, credential }: Route, noun: Noun, verb: string): string {
  const linked = credential ? 'Linked' : ''
  const name = `${method === 'HEAD' ? 'head' : verb}${linked}${noun.charAt(0).toUpperCase()}${noun.slice(1)}`
  return verb === 'list' || many ? `${name}s` : name
}

function describeBody(body: Route['body'], parts: OperationParts): Pick<Operation, 'requestBody'> {
  if (body === 'none') return {}
  if (body === 'document') {
    const description =
      `At most ${parts.documentBytesMax} bytes of any media type, without a type \`application/octet-stream\`. ` +
      '`Expect: 100-continue` is honoured, `Content-Range` is refused.'
    return { requestBody: { description, required: false, content: { '*/*': {} } } }
  }
  const content = { 'application/json': { schema: parts.schemas.describe(body.json) } }
  return { requestBody: { description: 'JSON', required: !body.optional, content } }
}

function describeAnswer({ method }: Route, answer: Answer, schemas: SchemaRegistry): Answered {
  const { status, description, headers } = answer
  // RFC 9110 section 8.6: neither of these has a length.
  const described = describeHeaders(headers, { bodiless: status === 204 || status === 304 })
  const content = contentOf(answer, method, schemas)
  return { description, headers: described, ...(content && { content }) }
}

function contentOf(
  { body, status }: Answer,
  method: Route['method'],
  schemas: SchemaRegistry,
): Record<string, MediaType> | undefined {
  // Of any type, as uploaded; HEAD has the header alone.
  if (body === 'bytes' || (method === 'HEAD' && status === 200)) return { '*/*': {} }
  if (body === 'tar') return { 'application/x-tar': {} }
  return body === null ? undefined : { 'application/json': { schema: schemas.describe(body) } }
}

/** `components.parameters`: headers that every call takes. OpenAPI states Authorization by `security`. */
const parameterComponents: Record<string, Parameter> = {
  CorrelationId: {
    name: 'X-Correlation-Id',
    in: 'header',
    required: false,
    description: "The caller's id of this request; a malformed one is replaced",
    schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    required: false,
    description: 'W3C Trace Context; a malformed one starts a new trace',
    schema: { type: 'string', examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'] },
  },
}

const commonParameters: Reference[] = Object.keys(parameterComponents).map((name) => ({
  $ref: `#/components/parameters/${name}`,
}))

/** Describes everything that a route takes as well as its body. */
function describeParameters(
  route: Pick<Route, 'params' | 'query' | 'requestHeaders' | 'body'>,
  schemas: SchemaRegistry,
  documentBytesMax: number,
): (Parameter | Reference)[] {
  const headers = Object.entries(route.requestHeaders).map(([name, description]) =>
    optionalHeader(name, description, { type: 'string' }),
  )
  return [
    ...inPlace('path', route.params, schemas),
    ...inPlace('query', route.query, schemas),
    ...headers,
    ...headersOfBody(route.body, documentBytesMax),
    ...commonParameters,
  ]
}

function inPlace(place: 'path' | 'query', shape: TObject, schemas: SchemaRegistry): Parameter[] {
  const required: readonly string[] = shape.required ?? []
  return Object.entries(shape.properties).map(([name, property]) => {
    const { description, ...schema } = schemas.describe(property as TSchema)
    const meaning = typeof description === 'string' ? { description } : {}
    return { name, in: place, required: required.includes(name), ...meaning, schema }
  })
}

function headersOfBody(body: Route['body'], documentBytesMax: number): Parameter[] {
  if (body === 'none') return []
  const maximum = body === 'document' ? documentBytesMax : jsonBytesMax(body)
  return [
    optionalHeader('Content-Length', 'Bytes of the body; may be left out where it is sent in chunks', {
      type: 'integer',
      minimum: 0,
      maximum,
    }),
    optionalHeader('Content-Encoding', 'The bytes are stored as they are', { const: 'identity' }),
    optionalHeader('Repr-Digest', 'RFC 9530, with sha-256: checked before anything is published or changed', {
      type: 'string',
    }),
    optionalHeader('Content-Digest', 'As Repr-Digest', { type: 'string' }),
  ]
}

function optionalHeader(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: 'header', required: false, description, schema }
}

/** A page that needs no token. */
interface PublicPage {
  /** With `get` or `head` before it. */
  operationId: string
  summary: string
  parameters: Parameter[]
  answers: PublicAnswer[]
  problems: readonly ProblemCode[]
}

interface PublicAnswer {
  status: number
  description: string
  mediaType?: string
  headers: Readonly<Record<string, string>>
}

const noStore = { 'Cache-Control': 'no-store' }

const ifNoneMatch: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'Entity tags that the client has: 304 for one of them',
  schema: { type: 'string' },
}

const publicPages: Readonly<Record<string, PublicPage>> = {
  '/livez': {
    operationId: 'Liveness',
    summary: 'Whether the process runs',
    parameters: [],
    answers: [{ status: 200, description: 'It runs', headers: noStore }],
    problems: publicProblems,
  },
  '/readyz': {
    operationId: 'Readiness',
    summary: 'Whether the service takes requests',
    parameters: [],
    answers: [
      { status: 200, description: 'Yes', headers: noStore },
      {
        status: 503,
        description: 'No: the object store does not answer, or the service is stopping',
        headers: noStore,
      },
    ],
    problems: publicProblems,
  },
  '/openapi.json': fixedPage('OpenApi', 'This document', 'application/json'),
  '/docs': fixedPage('Docs', 'This document as a page for readers', 'text/html;charset=utf-8'),
  '/docs/style.css': fixedPage('DocsStyle', 'Style of /docs', 'text/css;charset=utf-8'),
}

/** Describes the paths of the pages that need no token. */
function describePublicPages(problemAnswers: ProblemAnswers): Record<string, PathItem> {
  const described = Object.entries(publicPages).map(([path, page]): [string, PathItem] => {
    const get = describePage(page, problemAnswers)
    const head = { ...get, operationId: `head${page.operationId}` }
    const others = problemAnswers.describe([...publicProblems, 'method_not_allowed'])
    return [path, { get, head, 'x-other-methods': others }]
  })
  return Object.fromEntries(described)
}

function describePage(page: PublicPage, problemAnswers: ProblemAnswers): Operation {
  const answers = page.answers.map(({ status, description, mediaType, headers }): [string, Answered] => {
    const described = describeHeaders(headers, { bodiless: status === 304 })
    return [
      String(status),
      { description, headers: described, ...(mediaType && { content: { [mediaType]: {} } }) },
    ]
  })
  return {
    operationId: `get${page.operationId}`,
    summary: page.summary,
    description: 'Needs no token.',
    tags: ['Service'],
    security: [],
    parameters: [...page.parameters, ...commonParameters],
    responses: { ...Object.fromEntries(answers), ...problemAnswers.describe(page.problems) },
  }
}

/** A page whose text stays the same while a build runs, as its entity tag tells. */
function fixedPage(operationId: string, summary: string, mediaType: string): PublicPage {
  const held = { 'Cache-Control': 'no-cache', ETag: 'Changes with what it says' }
  return {
    operationId,
    summary,
    parameters: [ifNoneMatch],
    answers: [
      { status: 200, description: summary, mediaType, headers: { ...held, ...pageHeaders } },
      { status: 304, description: 'The client has it', headers: held },
    ],
    problems: [...publicProblems, 'request_invalid'],
  }
}
