type Settings = { readonly [name: string]: unknown }

/** `yaml` with other values in place of those that `changes` names; maps are merged, all else is replaced. */
export function tuned(yaml: string, changes: Settings): string {
  return Bun.YAML.stringify(merged(Bun.YAML.parse(yaml), changes))
}

function merged(value: unknown, change: unknown): unknown {
  if (!isMap(change)) return change
  const base = isMap(value) ? value : {}
  const entries = Object.entries(change).map(([name, inner]) => [name, merged(base[name], inner)])
  return { ...base, ...Object.fromEntries(entries) }
}

function isMap(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
