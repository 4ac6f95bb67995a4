import type { YamlMapping } from './yaml.ts'
import { isMapping } from './yaml.ts'

/** Values of the placeholders of a configuration. A setting whose value is `null` is left out. */
export type TemplateValues = Readonly<Record<string, string | number | boolean | null>>

/**
 * Returns a copy of `config` with every `${name}` in its texts replaced. A value that is the whole text keeps its type
 * (a port is a number). Values are put into the parsed YAML, so none can change its structure. A setting that is `null`,
 * or a mapping of only such settings, is left out, as in JSON Merge Patch (RFC 7396).
 *
 * @throws {Error} naming a placeholder that has no value.
 */
export function filled(config: YamlMapping, values: TemplateValues): YamlMapping {
  const entries = Object.entries(config)
    .map(([name, value]) => [name, fill(value, values)] as const)
    .filter(([name, value]) => value !== null && !(isEmpty(value) && !isEmpty(config[name])))
  return Object.fromEntries(entries)
}

function fill(value: unknown, values: TemplateValues): unknown {
  if (typeof value === 'string') return fillText(value, values)
  if (Array.isArray(value)) return value.map((item) => fill(item, values))
  return isMapping(value) ? filled(value, values) : value
}

function fillText(text: string, values: TemplateValues): string | number | boolean | null {
  const whole = /^\$\{(\w+)\}$/.exec(text)?.[1]
  if (whole !== undefined) return given(whole, values)
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => String(given(name, values)))
}

function given(name: string, values: TemplateValues) {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (value === undefined) throw new Error(`there is no value for the placeholder ${name}`)
  return value
}

function isEmpty(value: unknown): boolean {
  return isMapping(value) && Object.keys(value).length === 0
}
