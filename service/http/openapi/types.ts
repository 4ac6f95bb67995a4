/** The part of OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html) that we write. */

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Reference {
  $ref: string
}

export interface OpenApiDocument {
  openapi: string
  info: {
    title: string
    version: string
    summary: string
    description: string
    license: { name: string; identifier: string }
  }
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, PathItem>
  components: {
    schemas: Record<string, JsonSchema>
    headers: Record<string, Header>
    parameters: Record<string, Parameter>
    responses: Record<string, Answered>
    securitySchemes: Record<string, JsonSchema>
  }
  /** What an address answers that is in none of `paths`: OpenAPI has no place for it. */
  'x-unknown-address': Record<string, Reference>
}

export type OperationMethod = 'get' | 'head' | 'put' | 'post' | 'delete'

export type PathItem = Partial<Record<OperationMethod, Operation>> & {
  description?: string
  /** What the address answers to methods that it has no operation for: OpenAPI has no place for it. */
  'x-other-methods': Record<string, Reference>
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  /** Empty: anyone may. */
  security: Record<string, string[]>[]
  parameters: (Parameter | Reference)[]
  requestBody?: { description: string; required: boolean; content: Record<string, MediaType> }
  responses: Record<string, Answered | Reference>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema: JsonSchema
}

/** A Response Object; `Response` is the one of fetch. */
export interface Answered {
  description: string
  headers: Record<string, Header | Reference>
  content?: Record<string, MediaType>
}

export interface Header {
  description: string
  /** Whether every answer of this kind has it. */
  required: boolean
  schema: JsonSchema
}

export interface MediaType {
  schema?: JsonSchema
  examples?: Record<string, { summary: string; value: unknown }>
}
