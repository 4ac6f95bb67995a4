import type { ObservabilityService } from '../../compose/images/observability/pack-image.ts'

/**
 * What can be chosen in addition to Loki and Tempo on local disk: at most one overlay of each axis. Its file is
 * `overlays/<axis>.<choice>.yaml`. A test compares this with the folder and with its README.
 */
export const overlayAxes = {
  loki: ['loki.s3-minio', 'loki.s3-hetzner'],
  tempo: ['tempo.s3-minio', 'tempo.s3-hetzner'],
  collector: ['collector.otlp'],
  metrics: ['metrics.prometheus'],
  dashboards: ['dashboards.grafana'],
} as const

export type OverlayAxis = keyof typeof overlayAxes
export type Overlay = (typeof overlayAxes)[OverlayAxis][number]

/** The configuration contract (`S3_ENDPOINT`) knows one store, so Loki and Tempo cannot have one each. */
function storesOf(overlays: readonly Overlay[]): string[] {
  return [...new Set(overlays.flatMap((overlay) => /\.(s3-.+)$/.exec(overlay)?.[1] ?? []))]
}

/** Returns the combination with these overlays in the order of their axes, or in one line why there is none. */
export function chosenOverlays(names: readonly string[]): Overlay[] | string {
  const axes: (readonly Overlay[])[] = Object.values(overlayAxes)
  const unknown = names.find((name) => !axes.flat().some((overlay) => overlay === name))
  if (unknown !== undefined) return `unknown overlay ${unknown}: there are ${axes.flat().join(', ')}`
  const chosen = axes.map((axis) => axis.filter((overlay) => names.includes(overlay)))
  const contested = chosen.find((overlays) => overlays.length > 1)
  if (contested !== undefined) return `choose one of ${contested.join(', ')}`
  const stores = storesOf(chosen.flat())
  return stores.length <= 1 ? chosen.flat() : `choose one store: there are ${stores.join(' and ')}`
}

/** Returns whether the local MinIO is part of a combination. */
export function isOnMinio(overlays: readonly Overlay[]): boolean {
  return overlays.some((overlay) => overlay.endsWith('.s3-minio'))
}

/** Returns the compose files of a combination in the order in which Compose has to merge them. */
export function composeFiles(overlays: readonly Overlay[]): string[] {
  const onMinio = isOnMinio(overlays)
  const metrics = overlays.includes('metrics.prometheus')
  const named: string[] = [...overlays]
  if (metrics && onMinio) named.push('scrape.minio')
  if (metrics && overlays.includes('collector.otlp')) named.push('scrape.collector')
  return [
    ...(onMinio ? ['compose/stacks/object-store.yaml'] : []),
    'compose/stacks/observability.yaml',
    ...named.map((name) => `overlays/${name}.yaml`),
  ]
}

/** Returns the services of a combination, without the object store. */
export function servicesOf(overlays: readonly Overlay[]): ObservabilityService[] {
  return [
    'loki',
    'tempo',
    ...(overlays.includes('collector.otlp') ? (['otel-collector'] as const) : []),
    ...(overlays.includes('metrics.prometheus') ? (['prometheus'] as const) : []),
    ...(overlays.includes('dashboards.grafana') ? (['grafana'] as const) : []),
  ]
}
