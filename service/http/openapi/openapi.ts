import { version } from '../../../package.json'
import type { ProblemCode } from '../../wire/problems.ts'
import type { Route } from '../route.ts'
import { ProblemShape } from '../routes/schemas.ts'
import { headerComponents } from './headers.ts'
import { describeOperation, type OperationParts } from './operation.ts'
import { parameterComponents } from './parameters.ts'
import { createProblemAnswers } from './problem-answers.ts'
import { describePublicPages } from './public.ts'
import { createSchemaRegistry } from './schemas.ts'
import type { OpenApiDocument, OperationMethod, PathItem } from './types.ts'

/** Problems that need no operation: an address that is none, and a method that an address does not know. */
const beforeAnyRoute: ProblemCode[] = [
  'host_invalid',
  'credentials_missing',
  'credentials_invalid',
  'document_not_found',
  'internal_error',
  'issuer_unavailable',
]

/**
 * The API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html): made from the table of routes, so that
 * whatever is served is described, and nothing else.
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
    servers: [{ url: '/', description: 'Where this document came from' }],
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
  { name: 'Documents', description: 'The latest or a tagged version under its name, and what there is.' },
  { name: 'Versions', description: 'Bytes under their SHA-256: they never change.' },
  { name: 'Tags', description: 'Names that can be moved from version to version.' },
  {
    name: 'Transfers',
    description: 'Uploads and downloads that go straight between the client and the object store.',
  },
  { name: 'Service', description: 'For operators and readers; no token is needed.' },
]

const tokenDescription =
  'A JWT of the configured issuer. Its claim `tenants` lists the tenants it is for, `scope` what it is good ' +
  'for in each of them.'

const description = `A version *is* the SHA-256 of its bytes: checked while it is written, checked again while it
is read, and never changed. Tags are names that can be moved from version to version; \`latest\` follows the uploads.

Every failure is a problem document (RFC 9457) with a stable \`code\`; decide by that. What is wrong is looked for
in this order: the token (401); the tenant, which is 404 as an absent document is, whatever is asked of it, unless
it is in the token; the scope (403); the method (405); size, media type and form of the request (413, 415, 422);
then the object store.

Two things OpenAPI has no place for: \`x-other-methods\` of a path is what it answers to methods without an
operation, \`x-unknown-address\` what every other address answers. Requests that are not well-formed HTTP are
answered by the server below us, with a bare 4xx.

A download that turns out to be damaged while it is streamed ends early, and so does one whose object store stops
answering: the connection is closed, and what arrived is never a complete answer.`
