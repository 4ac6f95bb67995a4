import type { Static, TBoolean, TInteger, TString } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** The one parser of environment variables, for the service, its commands and the proof. */

/** One environment variable. Parsing, messages and the table in the documentation are all made from this. */
export interface Variable {
  schema: TString | TInteger | TBoolean
  /** Completes "must be …" and "set it to …". */
  form: string
  meaning: string
  required?: true
  /** The text that is used where the variable is not set. */
  fallback?: string
  /** What the table shows as the default where that depends on other variables. */
  derived?: string
  /** Never shown, and also read from the file that `<name>_FILE` names (Docker secrets). */
  secret?: true
  /** What the schema cannot express: returns a sentence's end such as "must not …", or nothing for a right text. */
  rule?: (text: string) => string | undefined
}

/** Returns the definition with its exact type, from which the type of the value follows. */
export function variable<const Definition extends Variable>(definition: Definition): Definition {
  return definition
}

/** Variables by name. */
export type Table = Readonly<Record<string, Variable>>

/** The decoded value of each variable of a table; `undefined` where it is not set and has no fallback. */
export type ValuesOf<T extends Table> = { [Name in keyof T]: Static<T[Name]['schema']> | undefined }

export type Environment = Readonly<Record<string, string | undefined>>

/** Returns the content of a text file; throws where it cannot be read. */
export type ReadFile = (path: string) => string

export interface Problem {
  variable: string
  /** Completes the sentence that the variable's name begins. Never holds a value. */
  problem: string
}

export interface ReadOptions {
  /** Reads the file that an `…_FILE` variable names, as text. */
  readFile: ReadFile
  /** What the names of the table begin with that must not be misspelt: other names like it are a problem. */
  prefix?: string
  /** Names of the table that this program does not read, and whose presence it does not mind. */
  unread?: readonly string[]
  /** Required names that may be missing for this program. */
  optional?: readonly string[]
}

/**
 * Reads the variables of a table from the environment and from secret files, and decodes them.
 *
 * @returns the values that are right, and everything that is wrong; a value with a problem is left out.
 */
export function readVariables<const T extends Table>(
  table: T,
  env: Environment,
  options: ReadOptions,
): { values: ValuesOf<T>; problems: Problem[] } {
  const { readFile, prefix, unread = [], optional = [] } = options
  const problems = prefix === undefined ? [] : unknownNames(table, env, prefix)
  const values: Record<string, unknown> = {}
  for (const [name, variable] of Object.entries(table)) {
    if (unread.includes(name)) continue
    const found = readVariable(name, variable, env, readFile)
    const read = typeof found === 'object' ? found : decode(name, variable, found, optional)
    if ('problem' in read) problems.push(read)
    else values[name] = read.value
  }
  return { values: values as ValuesOf<T>, problems }
}

/** Returns the text of a variable, what is wrong with how it is set, or `undefined` where it is not set. */
function readVariable(
  name: string,
  { secret }: Variable,
  env: Environment,
  readFile: ReadFile,
): string | Problem | undefined {
  const value = env[name]
  const fileName = `${name}_FILE`
  const file = secret ? env[fileName] : undefined
  // OpenTelemetry, "Environment variable specification": empty is the same as not set.
  if (value === '' && name.startsWith('OTEL_') && file === undefined) return undefined
  if (value === '') return { variable: name, problem: 'is empty: set it or leave it out' }
  if (file === '') return { variable: fileName, problem: 'is empty: set it or leave it out' }
  if (value !== undefined && file !== undefined) {
    return { variable: name, problem: `is set as well as ${fileName}: keep one of the two` }
  }
  return file === undefined ? value : readSecretFile(fileName, file, readFile)
}

function readSecretFile(variable: string, path: string, readFile: ReadFile): string | Problem {
  try {
    const content = readFile(path).replace(/\r?\n$/, '')
    return content === '' ? { variable, problem: 'names an empty file: put the secret into it' } : content
  } catch (error) {
    return { variable, problem: `names a file that cannot be read (${codeOf(error)})` }
  }
}

function decode(
  variable: string,
  definition: Variable,
  found: string | undefined,
  optional: readonly string[],
): { value: unknown } | Problem {
  const { schema, form, secret, rule, fallback, required } = definition
  const text = found ?? fallback
  if (text === undefined) {
    if (!required || optional.includes(variable)) return { value: undefined }
    const file = secret ? `, or ${variable}_FILE to the path of a file that holds it` : ''
    return { variable, problem: plain(`is missing: set it to ${form}${file}`) }
  }
  const value = typed(text, schema.type)
  const problem = Value.Check(schema, value) ? rule?.(text) : `must be ${form}`
  return problem === undefined ? { value } : { variable, problem: plain(problem) }
}

/** Returns the text as a value of its type; as it is where it is not in that form, which no such schema accepts. */
function typed(text: string, type: Variable['schema']['type']): unknown {
  if (type === 'integer') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

/** The Markdown of a table is for the documentation only. */
function plain(sentence: string): string {
  return sentence.replaceAll('`', '')
}

/** Returns the reason that a system call gave, such as `ENOENT`; a message could quote more than that. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no reason given'
}

/** A misspelt name would otherwise be a setting that silently does nothing. */
function unknownNames(table: Table, env: Environment, prefix: string): Problem[] {
  const known = Object.keys(table).filter((name) => name.startsWith(prefix))
  const withFiles = [...known, ...known.filter((name) => table[name]?.secret).map((name) => `${name}_FILE`)]
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && env[name] !== undefined && !withFiles.includes(name))
    .map((name) => ({ variable: name, problem: `is not known: ${advice(name, withFiles)}` }))
}

/**
 * Returns the names of OpenTelemetry and of AWS that are set and that no variable of the table has. They are no problem:
 * platforms set them for everything that they run. But the operator may believe that they do something.
 */
export function ignoredNames(table: Table, env: Environment): string[] {
  const names = Object.keys(env).filter((name) => /^(OTEL|AWS)_/.test(name) && (env[name] ?? '') !== '')
  return names.filter((name) => !(name in table || name.replace(/_FILE$/, '') in table)).sort()
}

const editsMax = 4

function advice(name: string, known: readonly string[]): string {
  const related = known.find((candidate) => hasWordsOf(name, candidate) || hasWordsOf(candidate, name))
  const [closest] = known.toSorted((a, b) => editsBetween(name, a) - editsBetween(name, b))
  const meant = related ?? (closest && editsBetween(name, closest) <= editsMax ? closest : undefined)
  return meant === undefined ? 'remove it' : `did you mean ${meant}?`
}

function hasWordsOf(part: string, whole: string): boolean {
  const words = whole.split('_')
  return part.split('_').every((word) => words.includes(word))
}

/** Levenshtein distance: insertions, deletions and replacements that turn one text into the other. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
