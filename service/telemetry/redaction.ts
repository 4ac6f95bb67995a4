import { limits } from '../limits.ts'
import { redacted, Secret } from './secret.ts'

/** Field names whose value is never shown, compared without case, `-` and `_`. */
const secretFields: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'ticket',
  'token',
  'accesstoken',
  'idtoken',
  'refreshtoken',
  'sessiontoken',
  'password',
  'secret',
  'clientsecret',
  'accesskeyid',
  'secretaccesskey',
  'secretkey',
  'signingkey',
  'ticketsigningkey',
  'privatekey',
  'privatejwk',
  'credentials',
  'signature',
  'xamzsignature',
  'xamzcredential',
  'xamzsecuritytoken',
])

/**
 * Patterns that reveal a secret in any text: credentials in a query string (AWS Signature Version 4,
 * "Authenticating requests: using query parameters"), in its Authorization header, bearer tokens (RFC 6750),
 * compact JWS and JWE (RFC 7515, 7516), user-info of a URL, private keys in PEM.
 */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  // Percent-encoded once or more often: an address that was put into another one.
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%(?:25)*3D))[^&\s"'<>]+/gi, `$1${redacted}`],
  [/(AWS4-HMAC-SHA256\s+)(?:[A-Za-z]+=[^\s,"']+(?:,\s*)?)+/g, `$1${redacted}`],
  [/\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/-]{16,}=*/gi, `$1 ${redacted}`],
  [/\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}/g, redacted],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^/?#\s"'@]*@/gi, `$1${redacted}@`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
]

/** A cheap check that spares ordinary texts the replacements above. */
const suspicious = /x-amz-|aws4-|bearer|basic|dpop|eyJ|:\/\/|-----BEGIN/i

const registered = new Map<string, number>()

/**
 * Redacts this secret's text, also percent-encoded, from every later log line and span. Process-wide, so that no caller
 * can forget to pass it on. Returns a function that undoes it, for tests.
 */
export function registerSecret(secret: Secret): () => void {
  const value = secret.reveal()
  if (value === '') return () => {}
  const forms = new Set([value, encodeURIComponent(value)])
  for (const form of forms) registered.set(form, (registered.get(form) ?? 0) + 1)
  return () => forms.forEach(forget)
}

/** True for a text, or several joined, that {@link redactText} would not change: the cheap check. */
export function isSafeText(text: string): boolean {
  if (text.length > limits.logTextCharsMax || suspicious.test(text)) return false
  for (const value of registered.keys()) if (text.includes(value)) return false
  return true
}

/** Returns `text` without anything that looks like, or is registered as, a secret; cut at `limits.logTextCharsMax`. */
export function redactText(text: string): string {
  if (isSafeText(text)) return text
  let safe = text
  for (const value of registered.keys()) safe = safe.replaceAll(value, redacted)
  // Callers choose the length of a text: it is cut before the expressions run, with room to spare, so that they still
  // find a secret across the final cut whole.
  safe = safe.slice(0, 2 * limits.logTextCharsMax)
  if (suspicious.test(safe)) {
    for (const [pattern, replacement] of secretTexts) safe = safe.replace(pattern, replacement)
  }
  return safe.length > limits.logTextCharsMax ? `${safe.slice(0, limits.logTextCharsMax)}…` : safe
}

/**
 * Returns a copy of `value` that is safe to serialise: plain objects, arrays, sets and maps are walked to a bounded
 * depth and length, errors become {@link SafeError}, and of any other instance only the class is named, because its
 * content (headers, sockets, responses of an SDK) is unknown here.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object') return undefined
  return redactObject(value, depth)
}

/** What a log shows of an error. Properties that SDKs add (`$response`, `config`) are left out. */
export interface SafeError {
  name: string
  code?: string
  message: string
  /** Call sites, innermost first; only of the outermost error. */
  stack?: string[]
  cause?: SafeError
  errors?: SafeError[]
}

const causesMax = 5
const framesMax = 12

/** Returns name, code, message and causes of an error, redacted; any other thrown value becomes a message. */
export function describeError(thrown: unknown): SafeError {
  const frames = thrown instanceof Error ? stackFrames(thrown) : []
  return { ...describeCause(thrown, 0), ...(frames.length > 0 && { stack: frames }) }
}

function describeCause(thrown: unknown, depth: number): SafeError {
  if (!(thrown instanceof Error)) return { name: 'Thrown', message: textOf(redact(thrown)) }
  const { code, cause } = thrown as { code?: unknown; cause?: unknown }
  const deeper = depth + 1 < causesMax
  return {
    name: redactText(thrown.name),
    ...((typeof code === 'string' || typeof code === 'number') && { code: redactText(String(code)) }),
    message: redactText(thrown.message),
    ...(deeper && cause !== undefined && { cause: describeCause(cause, depth + 1) }),
    ...(deeper &&
      thrown instanceof AggregateError && {
        errors: thrown.errors.slice(0, causesMax).map((one) => describeCause(one, depth + 1)),
      }),
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(JSON.stringify(value))
}

function stackFrames(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line.startsWith('at '))
    .slice(0, framesMax)
    .map(redactText)
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Secret) return redacted
  if (value instanceof Error) return describeError(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof URL) return redactText(value.href)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= limits.logDepthMax) return '[too deep]'
  if (value instanceof Set) return redactItems([...value], depth)
  if (Array.isArray(value)) return redactItems(value, depth)
  if (value instanceof Map) return redactFields([...value], depth)
  return isPlain(value) ? redactFields(Object.entries(value), depth) : `[${value.constructor.name}]`
}

function redactItems(items: readonly unknown[], depth: number): unknown[] {
  const shown = items.slice(0, limits.logItemsMax).map((item) => redact(item, depth + 1))
  return items.length > shown.length ? [...shown, `[${items.length - shown.length} more]`] : shown
}

function redactFields(entries: readonly (readonly [unknown, unknown])[], depth: number): object {
  const shown = entries.slice(0, limits.logItemsMax).map(([key, value]) => {
    const name = redactText(String(key))
    return [
      name,
      isSecretField(name) && value !== undefined && value !== null ? redacted : redact(value, depth + 1),
    ]
  })
  return Object.fromEntries(shown)
}

/** True for a name whose value is never shown. */
export function isSecretField(name: string): boolean {
  return secretFields.has(name.toLowerCase().replace(/[-_]/g, ''))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function forget(form: string): void {
  const uses = (registered.get(form) ?? 0) - 1
  if (uses > 0) registered.set(form, uses)
  else registered.delete(form)
}
