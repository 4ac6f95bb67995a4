import type { Answered, Header, OpenApiDocument, Reference } from '../../../service/http/openapi/types.ts'
import type { Caller } from '../service/caller.ts'
import { answersAt } from './described-operation.ts'
import { schemaCheckOf } from './described-schema.ts'

/** Compares real answers with the OpenAPI document of the service that gave them, and remembers them. */
export interface DescribedAnswers {
  /** Wraps a caller: an answer that differs from the document fails the test. */
  checking(call: Caller): Caller
  /** Returns what of an answer the document does not describe. Leaves the body of the response unread. */
  undescribed(method: string, path: string, response: Response): Promise<string[]>
  /** Operation and status of every answer so far, such as `putDocument 201`. */
  readonly statuses: ReadonlySet<string>
  /** Code of every problem so far. */
  readonly codes: ReadonlySet<string>
}

/** Headers of the connection (RFC 9110, section 7.6.1), which OpenAPI does not describe. */
const connectionHeaders = ['connection', 'keep-alive', 'transfer-encoding']

/** Starts comparing answers with the given document. */
export function describedAnswers(document: OpenApiDocument): DescribedAnswers {
  const check = schemaCheckOf(document)
  const statuses = new Set<string>()
  const codes = new Set<string>()

  async function undescribed(method: string, path: string, response: Response): Promise<string[]> {
    const { name, responses } = answersAt(document, method, path)
    const said = `${name} ${response.status}`
    const described = responses[response.status]
    if (!described) return [said]
    statuses.add(said)
    const answer = answerOf(described)
    const wrong = [...wrongHeaders(answer, response), ...(await wrongBody(answer, response, method))]
    return wrong.map((each) => `${said}: ${each}`)
  }

  function wrongHeaders(answer: Answered, { headers }: Response): string[] {
    const described = Object.entries(answer.headers).map(([name, header]) => {
      return { name: name.toLowerCase(), ...headerOf(header) }
    })
    const known = ['content-type', ...connectionHeaders, ...described.map(({ name }) => name)]
    const strange = [...headers.keys()].filter((name) => !known.includes(name))
    const missing = described.filter(({ name, required }) => required && !headers.has(name))
    const malformed = described.flatMap(({ name, schema }) => {
      const text = headers.get(name)
      if (text === null) return []
      return check(schema, schema.type === 'integer' ? Number(text) : text).map((error) => `${name}:${error}`)
    })
    return [
      ...strange.map((name) => `the header ${name}`),
      ...missing.map(({ name }) => `that there is no ${name}`),
      ...malformed,
    ]
  }

  async function wrongBody(
    { content = {} }: Answered,
    response: Response,
    method: string,
  ): Promise<string[]> {
    const type = response.headers.get('content-type')
    if (type === null) return Object.keys(content).length === 0 ? [] : ['that there is no Content-Type']
    const media = content[type] ?? content['*/*']
    if (!media) return [`the media type ${type}`]
    if (method === 'HEAD' || !media.schema) return []
    const body: unknown = await response.clone().json()
    if (type === 'application/problem+json') codes.add(String((body as { code: unknown }).code))
    return check(media.schema, body).map((error) => `the body${error}`)
  }

  function answerOf(described: Answered | Reference): Answered {
    return '$ref' in described ? lookUp(document.components.responses, described) : described
  }

  function headerOf(described: Header | Reference): Header {
    return '$ref' in described ? lookUp(document.components.headers, described) : described
  }

  return {
    statuses,
    codes,
    undescribed,
    checking: (call) => async (path, options) => {
      const response = await call(path, options)
      const { pathname } = new URL(response.url)
      const wrong = await undescribed(options?.method ?? 'GET', pathname, response)
      if (wrong.length > 0) throw new Error(`OpenAPI does not describe ${wrong.join('; ')}`)
      return response
    },
  }
}

function lookUp<Component>(components: Readonly<Record<string, Component>>, { $ref }: Reference): Component {
  const component = components[$ref.split('/').at(-1) ?? '']
  if (component === undefined) throw new Error(`nothing is at ${$ref}`)
  return component
}
