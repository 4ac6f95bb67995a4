import type {
  Answered,
  OpenApiDocument,
  OperationMethod,
  Reference,
} from '../../../service/http/openapi/types.ts'

/** The answers to a request that the document describes. */
export interface DescribedOperation {
  /** `operationId`, or a name for requests that belong to no operation. */
  name: string
  responses: Record<string, Answered | Reference>
}

/** Returns the answers that are described for a request. @param path of the request as sent, without a query. */
export function answersAt(document: OpenApiDocument, method: string, path: string): DescribedOperation {
  const [item] = Object.entries(document.paths)
    .filter(([template]) => formOf(template).test(path))
    // OpenAPI 3.1.1 section 4.8.8.2: fixed paths come before templates.
    .sort(([a], [b]) => parametersIn(a) - parametersIn(b))
    .map(([, found]) => found)
  if (!item) return { name: 'unknown address', responses: document['x-unknown-address'] }
  const operation = item[method.toLowerCase() as OperationMethod]
  if (!operation) return { name: 'other method', responses: item['x-other-methods'] }
  return { name: operation.operationId, responses: operation.responses }
}

/** Returns operation and status of every described answer, such as `putDocument 201`. */
export function describedStatuses({ paths }: OpenApiDocument): string[] {
  const operations = Object.values(paths).flatMap(({ get, head, put, post, delete: remove }) =>
    [get, head, put, post, remove].filter((operation) => operation !== undefined),
  )
  return operations.flatMap(({ operationId, responses }) =>
    Object.keys(responses).map((status) => `${operationId} ${status}`),
  )
}

function formOf(template: string): RegExp {
  const fixed = template.split(/\{\w+\}/).map((text) => RegExp.escape(text))
  return new RegExp(`^${fixed.join('[^/]+')}$`)
}

function parametersIn(template: string): number {
  return template.split('{').length - 1
}
