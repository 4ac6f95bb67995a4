/**
 * The files that change a base configuration, in the order in which they are laid over it: what is in a later one
 * has the last word, in whatever order they are named.
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

/** A configuration that does not exist; the message says which ones do. */
export class VariantError extends Error {
  override readonly name = 'VariantError'
}

/**
 * Returns the variants in their order, each once.
 *
 * @throws {VariantError} for one that the server does not have, and for some that exclude or need each other.
 */
export function ordered<Server extends ConfiguredServerName>(
  server: Server,
  variants: readonly string[],
): VariantOf<Server>[] {
  const known: readonly VariantOf<Server>[] = variantOrder[server]
  const unknown = variants.find((variant) => !known.some((one) => one === variant))
  if (unknown !== undefined)
    throw new VariantError(`${server} has no variant ${unknown}: ${known.join(', ')}`)
  const stores = [...new Set(variants.filter(isStoreVariant))]
  if (stores.length > 1) throw new VariantError(`${stores.join(' and ')} exclude each other`)
  if (stores.length === 0 && variants.some((variant) => variant === 'hetzner')) {
    throw new VariantError(`hetzner needs ${server} on S3: name its store, too`)
  }
  return known.filter((variant) => variants.includes(variant))
}

/** Returns whether a variant moves the data to S3. */
export function isStoreVariant(variant: string): boolean {
  return /^s3(-|$)/.test(variant)
}
