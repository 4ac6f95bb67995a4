/** A configuration as YAML has it: mappings, lists and scalars. */
export type YamlMapping = { [name: string]: unknown }

/** A copy of `config` in which `change` has the last word; mappings are joined, anything else is replaced. */
export function merged(config: YamlMapping, change: YamlMapping): YamlMapping {
  const result: YamlMapping = { ...config }
  for (const [name, value] of Object.entries(change)) {
    const old = config[name]
    result[name] = isMapping(old) && isMapping(value) ? merged(old, value) : value
  }
  return result
}

export function isMapping(value: unknown): value is YamlMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
