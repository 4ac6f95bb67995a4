import { type VariableName, variables } from './variables.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Content of a text file; throws where it cannot be read. */
export type ReadFile = (path: string) => string

export interface Problem {
  variable: string
  /** Completes the sentence that the variable's name begins. Never holds a value. */
  problem: string
}

export interface Source {
  texts: Partial<Record<VariableName, string>>
  problems: Problem[]
}

const fileSuffix = '_FILE'

/** Collects what is set, from the environment and from secret files; nothing is decoded yet. */
export function readSource(env: Environment, readFile: ReadFile): Source {
  const source: Source = { texts: {}, problems: unknownNames(env) }
  for (const name of Object.keys(variables) as VariableName[]) {
    const found = readVariable(name, env, readFile)
    if (found === undefined) continue
    if (typeof found === 'string') source.texts[name] = found
    else source.problems.push(found)
  }
  return source
}

function readVariable(
  name: VariableName,
  env: Environment,
  readFile: ReadFile,
): string | Problem | undefined {
  const value = env[name]
  const fileName = `${name}${fileSuffix}`
  const file = isSecret(name) ? env[fileName] : undefined
  // OpenTelemetry, "Environment variable specification": empty is the same as not set.
  if (value === '' && name.startsWith('OTEL_') && file === undefined) return undefined
  if (value === '') return { variable: name, problem: 'is empty: set it or leave it out' }
  if (file === '') return { variable: fileName, problem: 'is empty: set it or leave it out' }
  if (value !== undefined && file !== undefined) {
    return { variable: name, problem: `is set beside ${fileName}: keep one of the two` }
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

/** The reason that a system call gave, such as `ENOENT`; a message could quote more than that. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no reason given'
}

function isSecret(name: VariableName): boolean {
  return 'secret' in variables[name]
}

/** A misspelt S3_* name would otherwise be a setting that silently does nothing. */
function unknownNames(env: Environment): Problem[] {
  const known = Object.keys(variables).filter((name) => name.startsWith('S3_')) as VariableName[]
  const withFiles = [...known, ...known.filter(isSecret).map((name) => `${name}${fileSuffix}`)]
  return Object.keys(env)
    .filter((name) => name.startsWith('S3_') && env[name] !== undefined && !withFiles.includes(name))
    .map((name) => ({ variable: name, problem: `is not known: ${advice(name, withFiles)}` }))
}

/**
 * Names of OpenTelemetry that are set and that the service does not know. They are no problem: platforms set them
 * for all that runs there. But somebody believes that they do something.
 */
export function ignoredNames(env: Environment): string[] {
  const names = Object.keys(env).filter((name) => name.startsWith('OTEL_') && (env[name] ?? '') !== '')
  return names.filter((name) => !(name in variables || name.replace(/_FILE$/, '') in variables)).sort()
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
