import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { JsonSchema, OpenApiDocument } from '../../../service/http/openapi/types.ts'

/** Returns the errors of a value by a schema, empty if it is valid. */
export type SchemaCheck = (schema: JsonSchema, value: unknown) => string[]

/**
 * Returns a check by JSON Schema 2020-12, the dialect of OpenAPI 3.1. Members that the schema does not describe are
 * errors here: the service may send nothing that is not described.
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
    // With the components included, "#/components/schemas/…" refers to the schema itself.
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
