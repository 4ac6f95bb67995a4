/**
 * What can be chosen beyond Loki and Tempo on local disk: at most one overlay of each axis. Its name is that of
 * its file, `overlays/<axis>.<choice>.yaml`. A test compares this with the folder and with its README.
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

/** Every combination of overlays that is documented: none or one of each axis. */
export function overlayCombinations(): Overlay[][] {
  const axes: (readonly Overlay[])[] = Object.values(overlayAxes)
  return axes.reduce<Overlay[][]>(
    (combinations, axis) =>
      combinations.flatMap((chosen) => [chosen, ...axis.map((overlay) => [...chosen, overlay])]),
    [[]],
  )
}

/** The compose files of a combination in the order in which Compose has to merge them. */
export function composeFiles(overlays: readonly Overlay[]): string[] {
  const onMinio = overlays.some((overlay) => overlay.endsWith('.s3-minio'))
  const metrics = overlays.includes('metrics.prometheus')
  const named: string[] = [...overlays]
  if (metrics && onMinio) named.push('scrape.minio')
  if (metrics && overlays.includes('collector.otlp')) named.push('scrape.collector')
  return [
    ...(onMinio ? ['compose/object-store.yaml'] : []),
    'compose/observability.yaml',
    ...named.map((name) => `overlays/${name}.yaml`),
  ]
}

/** The services that a combination runs, beside the object store. */
export function servicesOf(overlays: readonly Overlay[]): string[] {
  return [
    'loki',
    'tempo',
    ...(overlays.includes('collector.otlp') ? ['otel-collector'] : []),
    ...(overlays.includes('metrics.prometheus') ? ['prometheus'] : []),
    ...(overlays.includes('dashboards.grafana') ? ['grafana'] : []),
  ]
}
