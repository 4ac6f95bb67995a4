import { type Action, neededScopes } from '../../authz/policy.ts'
import type { Answer, Route } from '../route.ts'
import { describeHeaders } from './headers.ts'
import { describeParameters } from './parameters.ts'
import type { ProblemAnswers } from './problem-answers.ts'
import { problemsOf } from './problems.ts'
import type { SchemaRegistry } from './schemas.ts'
import type { Answered, MediaType, Operation } from './types.ts'

/** What the operations of a document have in common. */
export interface OperationParts {
  schemas: SchemaRegistry
  problemAnswers: ProblemAnswers
  documentBytesMax: number
}

type Noun = Action extends `${infer Name}.${string}` ? Name : never

/** Heading under which operations on the noun of an action stand. */
const tagOfNoun: Record<Noun, string> = {
  document: 'Documents',
  version: 'Versions',
  tag: 'Tags',
  upload: 'Transfers',
  download: 'Transfers',
}

export function describeOperation(route: Route, parts: OperationParts): Operation {
  const [noun, verb] = route.action.split('.') as [Noun, string]
  const scope = neededScopes[route.action]
  const answers = route.answers.map((answer): [string, Answered] => [
    String(answer.status),
    describeAnswer(route, answer, parts.schemas),
  ])
  return {
    operationId: operationIdOf(route, noun, verb),
    summary: route.summary,
    description: `Needs the tenant in the token, and the scope \`${scope}\`.`,
    tags: [tagOfNoun[noun]],
    security: [{ bearer: [scope] }],
    parameters: describeParameters(route, parts.schemas, parts.documentBytesMax),
    ...describeBody(route.body, parts),
    responses: { ...Object.fromEntries(answers), ...parts.problemAnswers.describe(problemsOf(route)) },
  }
}

/** `document.list` → `listDocuments`, HEAD of `version.read` → `headVersion`. */
function operationIdOf({ method }: Route, noun: Noun, verb: string): string {
  const name = `${method === 'HEAD' ? 'head' : verb}${noun.charAt(0).toUpperCase()}${noun.slice(1)}`
  return verb === 'list' ? `${name}s` : name
}

function describeBody(body: Route['body'], parts: OperationParts): Pick<Operation, 'requestBody'> {
  if (body === 'none') return {}
  if (body === 'document') {
    const description =
      `At most ${parts.documentBytesMax} bytes of any media type, without a type \`application/octet-stream\`. ` +
      '`Expect: 100-continue` is honoured, `Content-Range` refused.'
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
  // Whatever was uploaded; HEAD tells its type alone.
  if (body === 'bytes' || (method === 'HEAD' && status === 200)) return { '*/*': {} }
  return body === null ? undefined : { 'application/json': { schema: schemas.describe(body) } }
}
