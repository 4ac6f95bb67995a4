/**
 * The files that change a base configuration, in the order in which they are laid over it: what is in a later one
 * has the last word, whatever order they are named in.
 */
export const variantOrder = {
  loki: ['s3-thanos', 's3-classic', 'retention', 'multi-tenant', 'hetzner'],
  tempo: ['s3', 'retention', 'multi-tenant', 'hetzner'],
  collector: ['multi-tenant'],
} as const

export type ConfiguredServerName = keyof typeof variantOrder
export type VariantOf<Server extends ConfiguredServerName> = (typeof variantOrder)[Server][number]
export type LokiVariant = VariantOf<'loki'>
export type TempoVariant = VariantOf<'tempo'>
export type CollectorVariant = VariantOf<'collector'>

/**
 * The same variants in their order, each once.
 *
 * @throws {Error} for one that the server does not have, and for some that exclude or need each other.
 */
export function ordered<Server extends ConfiguredServerName>(
  server: Server,
  variants: readonly VariantOf<Server>[],
): VariantOf<Server>[] {
  const known: readonly VariantOf<Server>[] = variantOrder[server]
  const unknown = variants.find((variant) => !known.includes(variant))
  if (unknown !== undefined) throw new Error(`${server} has no variant ${unknown}: ${known.join(', ')}`)
  const stores = [...new Set(variants.filter(isStoreVariant))]
  if (stores.length > 1) throw new Error(`${stores.join(' and ')} exclude each other`)
  if (stores.length === 0 && variants.some((variant) => variant === 'hetzner')) {
    throw new Error(`hetzner is about ${server} on S3: name its store, too`)
  }
  return known.filter((variant) => variants.includes(variant))
}

/** True for a variant that moves the data to S3. */
export function isStoreVariant(variant: string): boolean {
  return /^s3(-|$)/.test(variant)
}
