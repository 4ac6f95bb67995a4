import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { JsonSchema, OpenApiDocument } from '../../../service/http/openapi/types.ts'

/** What keeps a value from being as a schema says; empty if nothing does. */
export type SchemaCheck = (schema: JsonSchema, value: unknown) => string[]

/**
 * Checks by JSON Schema 2020-12, the dialect of OpenAPI 3.1. Members of which a schema says nothing count as
 * errors here: nothing may go out that is not described.
 */
export function schemaCheckOf({ components }: OpenApiDocument): SchemaCheck {
  // `strict` would refuse keywords that OpenAPI adds, such as `examples` of parameters.
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const validators = new Map<string, ValidateFunction>()

  function validatorOf(schema: JsonSchema): ValidateFunction {
    const key = JSON.stringify(schema)
    const known = validators.get(key)
    if (known) return known
    // With the components beside it, "#/components/schemas/…" is a reference within the schema itself.
    const validator = ajv.compile({
      ...schema,
      unevaluatedProperties: false,
      components: { schemas: components.schemas },
    })
    validators.set(key, validator)
    return validator
  }

  return (schema, value) => {
    const validator = validatorOf(schema)
    if (validator(value)) return []
    return (validator.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  }
}
