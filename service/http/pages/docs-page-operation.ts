import type {
  Answered,
  Header,
  JsonSchema,
  OpenApiDocument,
  Operation,
  Parameter,
  Reference,
} from '../openapi/types.ts'
import { formOf, html, inline, type Markup, prose } from './docs-page-schema.ts'

/** An operation and where it is. */
export interface Placed {
  path: string
  method: string
  operation: Operation
  /** HEAD is answered alike, without the body. */
  alsoHead: boolean
}

/** Returns the section of one operation: example, parameters, body and answers. */
export function renderOperation(document: OpenApiDocument, placed: Placed): Markup {
  const { path, method, operation } = placed
  const parameters = operation.parameters.filter((parameter) => !('$ref' in parameter)) as Parameter[]
  return html`
<section id="${operation.operationId}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p>${operation.summary}.</p>
${prose(operation.description)}
${placed.alsoHead && html`<p>HEAD is answered alike, without the body.</p>`}
<pre>${curlExample(placed, parameters)}</pre>
${parameters.length > 0 && parameterTable(parameters)}
${requestBody(operation)}
${answerTable(document, operation.responses)}
</section>`
}

/** Returns a table of answers by status, without the headers that every answer has. */
export function answerTable(
  document: OpenApiDocument,
  responses: Record<string, Answered | Reference>,
): Markup {
  const rows = Object.entries(responses).map(([status, response]) => {
    const answer = resolve(document, response)
    return html`
<tr><td><b>${status}</b></td><td>${whatIsSaid(answer)}</td><td>${headerList(answer)}</td></tr>`
  })
  return html`<div class="wide"><table><thead><tr><th>Status</th><th>Answer</th><th>Headers</th></tr></thead><tbody>${rows}
</tbody></table></div>`
}

function whatIsSaid({ description, content }: Answered): Markup {
  const problem = content?.['application/problem+json']
  if (problem) {
    const codes = Object.entries(problem.examples ?? {})
    return html`<ul>${codes.map(
      ([code, { summary }]) => html`<li><a href="#problem-${code}"><code>${code}</code></a> ${summary}</li>`,
    )}</ul>`
  }
  const bodies = Object.entries(content ?? {}).map(
    ([type, { schema }]) => html`<br><code>${type}</code>${schema && html`: ${formOf(schema)}`}`,
  )
  return html`${description}${bodies}`
}

function headerList({ headers }: Answered): Markup {
  const own = Object.entries(headers).filter((entry): entry is [string, Header] => !('$ref' in entry[1]))
  return html`<ul>${own.map(
    ([name, { description }]) => html`<li><code>${name}</code> ${description}</li>`,
  )}</ul>`
}

/** Returns a table of parameters, headers among them. */
export function parameterTable(parameters: readonly Parameter[]): Markup {
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema }) => html`
<tr><td><code>${name}</code></td><td>${place}</td><td>${formOf(schema)}</td><td>${description}${
      !required && html` <em>optional</em>`
    }</td></tr>`,
  )
  return html`<div class="wide"><table><thead><tr><th>Parameter</th><th>In</th><th>Form</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table></div>`
}

function requestBody({ requestBody: body }: Operation): Markup | undefined {
  if (!body) return undefined
  const forms = Object.entries(body.content).map(
    ([type, { schema }]) => html` <code>${type}</code>${schema && html`: ${formOf(schema)}`}`,
  )
  return html`<p>Body${!body.required && html` <em>optional</em>`}:${forms}. ${inline(body.description)}</p>`
}

function resolve(document: OpenApiDocument, response: Answered | Reference): Answered {
  if (!('$ref' in response)) return response
  const answer = document.components.responses[response.$ref.replace('#/components/responses/', '')]
  if (!answer) throw new Error(`nothing is at ${response.$ref}`)
  return answer
}

/** A call that can be pasted into a shell where `$API` and `$TOKEN` are set. */
function curlExample({ path, method, operation }: Placed, parameters: readonly Parameter[]): string {
  const address = path.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => {
    const [example] = exampleOf(parameters.find((parameter) => parameter.name === name)?.schema)
    return typeof example === 'string' ? example : placeholder
  })
  const verb = { get: '', head: ' --head', put: ' -X PUT', post: ' -X POST', delete: ' -X DELETE' }[method]
  const token = operation.security.length > 0 ? ' -H "Authorization: Bearer $TOKEN"' : ''
  const json = operation.requestBody?.content['application/json']
  const body = json
    ? " -H 'Content-Type: application/json' -d @body.json"
    : operation.requestBody && ' -T file'
  return `curl${body === ' -T file' ? '' : verb}${token}${body ?? ''} "$API${address}"`
}

function exampleOf(schema: JsonSchema | undefined): readonly unknown[] {
  return Array.isArray(schema?.examples) ? schema.examples : []
}
