import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { RetentionRule } from '../../documents/maintenance/retention.ts'
import { typePattern } from '../../wire/names.ts'
import { UsageError } from '../command.ts'

/** The file that `--policy` names: one rule per type. */
const RetentionPolicy = Type.Object(
  {
    retention: Type.Array(
      Type.Object(
        {
          type: Type.String({ pattern: typePattern }),
          keepDays: Type.Integer({ minimum: 0, maximum: 36_500 }),
          keepNewest: Type.Integer({ minimum: 1, maximum: 100_000 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { additionalProperties: false },
)

/** Reads the rules of a policy file. @throws {UsageError} for a file that cannot be read or is no policy, or names a type twice. */
export function readRules(file: string): RetentionRule[] {
  const { retention } = parsePolicy(textOf(file))
  const types = retention.map(({ type }) => type)
  const twice = types.find((type, at) => types.indexOf(type) !== at)
  if (twice !== undefined) throw new UsageError(`the policy has two rules for ${twice}`)
  return retention
}

function parsePolicy(text: string) {
  let policy: unknown
  try {
    policy = JSON.parse(text)
  } catch {
    throw new UsageError('the policy is not JSON')
  }
  if (Value.Check(RetentionPolicy, policy)) return policy
  const { path = '', message = '' } = Value.Errors(RetentionPolicy, policy).First() ?? {}
  throw new UsageError(`the policy is wrong at ${path || 'its top'}: ${message}`)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`the policy ${file} cannot be read`)
  }
}
