import type { TObject, TSchema } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import type { Route } from '../route.ts'
import type { SchemaRegistry } from './schemas.ts'
import type { JsonSchema, Parameter, Reference } from './types.ts'

/** `components.parameters`: headers that every call takes. OpenAPI says Authorization by `security`. */
export const parameterComponents: Record<string, Parameter> = {
  CorrelationId: {
    name: 'X-Correlation-Id',
    in: 'header',
    required: false,
    description: "The caller's name for this request; one of another form is replaced",
    schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    required: false,
    description: 'W3C Trace Context; one that breaks its grammar starts a new trace',
    schema: { type: 'string', examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'] },
  },
}

export const commonParameters: Reference[] = Object.keys(parameterComponents).map((name) => ({
  $ref: `#/components/parameters/${name}`,
}))

/** Everything that a route takes beside its body. */
export function describeParameters(
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
  const maximum = body === 'document' ? documentBytesMax : limits.jsonBodyBytesMax
  return [
    optionalHeader('Content-Length', 'Bytes of the body; may be left out where it is sent in chunks', {
      type: 'integer',
      minimum: 0,
      maximum,
    }),
    optionalHeader('Content-Encoding', 'The bytes are taken as they are', { const: 'identity' }),
  ]
}

function optionalHeader(name: string, description: string, schema: JsonSchema): Parameter {
  return { name, in: 'header', required: false, description, schema }
}
