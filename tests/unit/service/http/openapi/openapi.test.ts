import { describe, expect, it } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Type } from '@sinclair/typebox'
import { neededScopes } from '../../../../../service/authz/policy.ts'
import type { JsonSchema, OpenApiDocument, Operation } from '../../../../../service/http/openapi/types.ts'
import type { Route } from '../../../../../service/http/route.ts'
import { problems } from '../../../../../service/wire/problems.ts'
import { schemaCheckOf } from '../../../../support/openapi/described-schema.ts'
import { describedApi, routes } from '../../../../support/openapi/openapi-under-test.ts'

const described = describedApi()
const document = '/v1/tenants/{tenant}/documents/{type}/{name}'

/** What a validator of OpenAPI documents has against one, `undefined` if nothing. */
async function faultsOf(of: OpenApiDocument): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(of)))
  return valid ? undefined : errors
}

function operationAt(path: string, method: 'get' | 'put' | 'post' | 'delete'): Operation {
  const operation = described.paths[path]?.[method]
  if (!operation) throw new Error(`no ${method} ${path}`)
  return operation
}

/** `GET /v1/…` of all operations, those of HEAD among them. */
function operationsOf({ paths }: OpenApiDocument): string[] {
  const methods = ['get', 'head', 'put', 'post', 'delete'] as const
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`),
  )
}

function pathParametersOf({ parameters }: Operation): string[] {
  return parameters.flatMap((each) => ('in' in each && each.in === 'path' ? [each.name] : []))
}

function parameterOf(operation: Operation, name: string) {
  return operation.parameters.find((parameter) => 'name' in parameter && parameter.name === name)
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, which it would not be without the names of its parameters', async () => {
    expect(described.openapi).toStartWith('3.1.')
    expect(await faultsOf(described)).toBeUndefined()
    const broken = JSON.parse(JSON.stringify(described).replaceAll('"name":"tenant",', ''))
    expect(await faultsOf(broken)).not.toBeUndefined()
  })

  it('describes every route, and otherwise only the pages that need no token', () => {
    const [api, pages] = [true, false].map((isApi) =>
      operationsOf(described).filter((operation) => operation.includes(' /v1/') === isApi),
    )
    const table = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(api?.toSorted()).toEqual(table.toSorted())
    const paths = ['/livez', '/readyz', '/openapi.json', '/docs', '/docs/style.css']
    expect(pages).toEqual(paths.flatMap((path) => [`GET ${path}`, `HEAD ${path}`]))
  })

  it('describes a route that is added to the table', () => {
    const [route] = routes as [Route]
    const added = { ...route, path: '/v1/tenants/:tenant/added/:name', query: Type.Object({}) }
    expect(operationsOf(describedApi([...routes, added]))).toContain('GET /v1/tenants/{tenant}/added/{name}')
  })

  it('names each operation once', () => {
    const ids = JSON.stringify(described).match(/"operationId":"\w+"/g) ?? []
    expect(ids.length).toBe(operationsOf(described).length)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('"operationId":"listDocuments"')
    expect(ids).toContain('"operationId":"headVersion"')
    expect(ids).toContain('"operationId":"deleteVersion"')
    expect(ids).toContain('"operationId":"deleteVersions"')
    expect(ids).toContain('"operationId":"readArchive"')
  })

  it('has a parameter for every placeholder in a path, and no other', () => {
    for (const [path, item] of Object.entries(described.paths)) {
      const placeholders = path.match(/(?<=\{)\w+(?=\})/g) ?? []
      for (const operation of [item.get, item.head, item.put, item.post, item.delete]) {
        if (operation) expect(`${path} ${pathParametersOf(operation)}`).toBe(`${path} ${placeholders}`)
      }
    }
  })

  it('refers to nothing that is not there, and holds nothing that is not referred to', () => {
    const references = JSON.stringify(described).match(/#\/components\/[\w.-]+\/[\w.-]+/g) ?? []
    const { schemas, headers, parameters, responses } = described.components
    const held = Object.entries({ schemas, headers, parameters, responses }).flatMap(([kind, components]) =>
      Object.keys(components).map((name) => `#/components/${kind}/${name}`),
    )
    expect([...new Set(references)].toSorted()).toEqual(held.toSorted())
  })

  it('shows an example of every schema that has one, and each is as its schema says', () => {
    const check = schemaCheckOf(described)
    const faults = Object.entries(described.components.schemas).flatMap(([name, schema]) => {
      const examples = (schema.examples ?? []) as unknown[]
      return examples.flatMap((example) => check(schema, example).map((fault) => `${name}${fault}`))
    })
    expect(faults).toEqual([])
    const problemFaults = Object.values(described.components.responses).flatMap(({ content }) => {
      const { schema = {}, examples = {} } = content?.['application/problem+json'] ?? {}
      return Object.values(examples).flatMap(({ value }) => check(schema, value))
    })
    expect(problemFaults).toEqual([])
    const without = Object.entries(described.components.schemas).filter(([, { examples }]) => !examples)
    expect(without.map(([name]) => name)).toEqual(['Problem'])
    expect(check(described.components.schemas.Tag as JsonSchema, { tag: 'v1' })).not.toEqual([])
  })
})

describe('an operation', () => {
  it('names the scope that it needs, which pages for anyone do not', () => {
    expect(operationAt(document, 'put').security).toEqual([{ bearer: [neededScopes['document.put']] }])
    expect(operationAt('/docs', 'get').security).toEqual([])
  })

  it('says what its query takes, with the limits', () => {
    const limit = parameterOf(operationAt('/v1/tenants/{tenant}/documents', 'get'), 'limit')
    expect(limit).toMatchObject({
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    })
  })

  it('says how large an upload may be here', () => {
    const length = parameterOf(operationAt(document, 'put'), 'Content-Length')
    expect(length).toMatchObject({ in: 'header', required: false, schema: { maximum: 1000 } })
  })

  it('says how large a JSON body may be, which differs', () => {
    const bytesMax = (path: string, method: 'put' | 'post') =>
      parameterOf(operationAt(path, method), 'Content-Length')
    const have = bytesMax('/v1/tenants/{tenant}/documents/have', 'post')
    expect(have).toMatchObject({ schema: { maximum: 512 * 1024 } })
    expect(bytesMax(`${document}/tags/{tag}`, 'put')).toMatchObject({ schema: { maximum: 64 * 1024 } })
  })

  it('asks for a body where one must be sent, and says where it may be left out', () => {
    const tag = operationAt(`${document}/tags/{tag}`, 'put').requestBody
    expect(tag?.required).toBe(true)
    expect(tag?.content['application/json']?.schema).toEqual({ $ref: '#/components/schemas/TagMove' })
    const download = operationAt(`${document}/versions/{digest}/downloads`, 'post').requestBody
    expect(download?.required).toBe(false)
    expect(operationAt(`${document}/tags/{tag}`, 'delete').requestBody).toBeUndefined()
  })
})

describe('the problems of an operation', () => {
  const codesOf = (path: string, method: 'get' | 'put' | 'post' | 'delete', status: number) => {
    const response = operationAt(path, method).responses[status]
    const name = response && '$ref' in response ? response.$ref.split('/').at(-1) : undefined
    const answer = described.components.responses[name ?? '']
    return Object.keys(answer?.content?.['application/problem+json']?.examples ?? {})
  }

  it('are its own and those of every call, by status', () => {
    const path = `${document}/tags/{tag}`
    expect(codesOf(path, 'delete', 409)).toEqual(['tag_protected'])
    expect(codesOf(path, 'delete', 401)).toEqual(['credentials_missing', 'credentials_invalid'])
    expect(codesOf(path, 'delete', 413)).toEqual([])
    expect(codesOf(path, 'put', 413)).toEqual(['body_too_large'])
    expect(codesOf(document, 'put', 413)).toEqual(['document_too_large'])
  })

  it('say nothing of methods and addresses without an operation, which are described next to them', () => {
    expect(codesOf(document, 'get', 405)).toEqual([])
    expect(described.paths[document]?.['x-other-methods']['405']?.$ref).toEndWith('405.method_not_allowed')
    expect(described['x-unknown-address']['404']?.$ref).toContain('route_not_found')
  })

  it('are together all that there are', () => {
    const codes = Object.values(described.components.responses).flatMap(({ content }) =>
      Object.keys(content?.['application/problem+json']?.examples ?? {}),
    )
    expect([...new Set(codes)].toSorted()).toEqual(Object.keys(problems).toSorted())
  })

  it('come with the headers that their status has', () => {
    const headersOf = (name: string) => Object.keys(described.components.responses[name]?.headers ?? {})
    expect(headersOf('403.scope_missing')).toContain('WWW-Authenticate')
    expect(headersOf('405.method_not_allowed')).toContain('Allow')
    expect(headersOf('416.range_unsatisfiable')).toContain('Content-Range')
    expect(headersOf('409.tag_protected')).not.toContain('WWW-Authenticate')
  })
})
