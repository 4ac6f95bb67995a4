import type { TBoolean, TInteger, TString } from '@sinclair/typebox'

/** One environment variable. Parsing, messages and the table in README.md are all made from this. */
export interface Variable<S extends TString | TInteger | TBoolean = TString | TInteger | TBoolean> {
  schema: S
  /** Completes "must be …" and "set it to …". */
  form: string
  meaning: string
  required?: true
  /** Text that stands in where the variable is not set. */
  fallback?: string
  /** What the table shows as the default where that depends on other variables. */
  derived?: string
  /** Never shown, and also read from the file that `<name>_FILE` names (Docker secrets). */
  secret?: true
  /** What the schema cannot say: a sentence's end such as "must not …", or nothing where the text is fine. */
  rule?: (text: string) => string | undefined
}

/** Keeps the type of the schema, from which the type of the value follows. */
export function variable<const S extends TString | TInteger | TBoolean>(
  definition: Variable<S>,
): Variable<S> {
  return definition
}
