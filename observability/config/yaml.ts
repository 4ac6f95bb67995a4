/** A parsed YAML configuration: mappings, lists and scalars. */
export type YamlMapping = { [name: string]: unknown }

/** Returns a copy of `config` with `change` applied: mappings are joined, anything else is replaced. */
export function merged(config: YamlMapping, change: YamlMapping): YamlMapping {
  const result: YamlMapping = { ...config }
  for (const [name, value] of Object.entries(change)) {
    const old = config[name]
    result[name] = isMapping(old) && isMapping(value) ? merged(old, value) : value
  }
  return result
}

/** Returns whether the value is a mapping. */
export function isMapping(value: unknown): value is YamlMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
