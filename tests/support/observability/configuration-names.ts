import { isStoreVariant, variantOrder } from '../../../observability/config/variants.ts'
import { chosenOverlays, type Overlay, overlayAxes } from '../../../observability/stack/overlays.ts'

/** Names of every configuration that makes sense: with at most one store, and what is about a store only with one. */
export const configurationNames: readonly string[] = [
  ...named('loki', variantOrder.loki),
  ...named('tempo', variantOrder.tempo),
  ...named('tempo3', ['s3', 'retention', 'multi-tenant']),
  ...named('collector', variantOrder.collector),
]

function named(server: string, variants: readonly string[]): string[] {
  return subsets(variants).map((chosen) => {
    if (chosen.length > 0) return [server, ...chosen].join('.')
    return server === 'collector' ? server : `${server}.local`
  })
}

function subsets(variants: readonly string[]): string[][] {
  const choices: string[][] = [[]]
  for (const variant of variants) choices.push(...choices.map((some) => [...some, variant]))
  return choices.filter((chosen) => {
    const stores = chosen.filter(isStoreVariant).length
    return stores <= 1 && (stores === 1 || !chosen.includes('hetzner'))
  })
}

/** Returns every documented combination of overlays: none or one of each axis, and at most one store. */
export function overlayCombinations(): Overlay[][] {
  const axes: (readonly Overlay[])[] = Object.values(overlayAxes)
  const all = axes.reduce<Overlay[][]>(
    (combinations, axis) =>
      combinations.flatMap((chosen) => [chosen, ...axis.map((overlay) => [...chosen, overlay])]),
    [[]],
  )
  return all.filter((overlays) => typeof chosenOverlays(overlays) !== 'string')
}
