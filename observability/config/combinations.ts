import { type CollectorVariant, isStoreVariant, type LokiVariant, type TempoVariant } from './variants.ts'

/** A base and the variants that are laid over it. `tempo3` is Tempo 3.0, which no test runs. */
export type Combination =
  | { server: 'loki'; variants: readonly LokiVariant[] }
  | { server: 'tempo' | 'tempo3'; variants: readonly TempoVariant[] }
  | { server: 'collector'; variants: readonly CollectorVariant[] }

/** Every combination that makes sense: with at most one store, and what is about a store only with one. */
export const combinations: readonly Combination[] = [
  ...subsets<LokiVariant>(['s3-thanos', 's3-classic', 'retention', 'multi-tenant', 'hetzner']).map(
    (variants) => ({ server: 'loki', variants }) as const,
  ),
  ...subsets<TempoVariant>(['s3', 'retention', 'multi-tenant', 'hetzner']).map(
    (variants) => ({ server: 'tempo', variants }) as const,
  ),
  ...subsets<TempoVariant>(['s3', 'retention', 'multi-tenant']).map(
    (variants) => ({ server: 'tempo3', variants }) as const,
  ),
  ...subsets<CollectorVariant>(['multi-tenant']).map(
    (variants) => ({ server: 'collector', variants }) as const,
  ),
]

/** `loki.s3-thanos.retention`, and `loki.local` for the base alone: the name of its file. */
export function combinationName({ server, variants }: Combination): string {
  if (variants.length > 0) return [server, ...variants].join('.')
  return server === 'collector' ? server : `${server}.local`
}

/** The store variant of a combination, if its data are in S3. */
export function storeVariantOf({ variants }: Combination): string | undefined {
  return variants.find(isStoreVariant)
}

/** Every choice from `variants`, in their order, without those that {@link makesSense} rules out. */
function subsets<Variant extends string>(variants: readonly Variant[]): Variant[][] {
  const choices: Variant[][] = [[]]
  for (const variant of variants) choices.push(...choices.map((some) => [...some, variant]))
  return choices.filter(makesSense)
}

function makesSense(variants: readonly string[]): boolean {
  const stores = variants.filter(isStoreVariant).length
  return stores <= 1 && (stores === 1 || !variants.includes('hetzner'))
}
