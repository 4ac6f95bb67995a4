import type { TSchema } from '@sinclair/typebox'
import { examples } from './examples.ts'
import type { JsonSchema } from './types.ts'

/** Takes TypeBox schemas into a document. Those with an `$id` are said once, under that name. */
export interface SchemaRegistry {
  /** The schema as OpenAPI has it: a reference if it has a name. */
  describe(schema: TSchema): JsonSchema
  /** `components.schemas`: what was referred to so far. */
  named(): Record<string, JsonSchema>
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is, which is what TypeBox writes. */
export function createSchemaRegistry(): SchemaRegistry {
  const components: Record<string, JsonSchema> = {}

  function referred(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(referred)
    if (typeof value !== 'object' || value === null) return value
    const { $id, ...schema } = value as Record<string, unknown>
    const described = Object.fromEntries(
      Object.entries(schema).map(([keyword, nested]) => [keyword, referred(nested)]),
    )
    if (typeof $id !== 'string') return described
    const example = examples[$id]
    components[$id] ??= example === undefined ? described : { ...described, examples: [example] }
    return { $ref: `#/components/schemas/${$id}` }
  }

  return {
    // TypeBox keeps its own notes under symbols, which JSON leaves out.
    describe: (schema) => referred(JSON.parse(JSON.stringify(schema))) as JsonSchema,
    named: () => components,
  }
}
