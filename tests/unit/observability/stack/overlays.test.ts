import { describe, expect, it } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { observabilityImages } from '../../../../compose/images/observability/images.ts'
import { readRecipe } from '../../../../compose/servers/server-recipe.ts'
import { variantOrder } from '../../../../observability/config/variants.ts'
import { chosenOverlays, composeFiles, overlayAxes } from '../../../../observability/stack/overlays.ts'

const root = resolve(import.meta.dir, '../../../..')
const textOf = (path: string) => Bun.file(join(root, path)).text()

/** Names in the first column of the table of overlays. */
async function documentedOverlays(): Promise<string[]> {
  const table = /<!-- overlays:begin -->(.*)<!-- overlays:end -->/s.exec(
    await textOf('overlays/README.md'),
  )?.[1]
  return [...(table ?? '').matchAll(/^\| `([\w.-]+)`/gm)].map(([, name = '']) => name)
}

describe('the overlays', () => {
  it('are the files of their folder, and the rows of its README', async () => {
    const files = (await readdir(join(root, 'overlays'))).filter((name) => name.endsWith('.yaml'))
    const names = files.map((name) => name.replace('.yaml', '')).sort()
    expect((await documentedOverlays()).sort()).toEqual(names)
    const chosen: string[] = Object.values(overlayAxes).flat()
    // Those of the document service and those for a Swarm are not for `up.ts` (`stack-files.test.ts`).
    const others = /^(scrape|documents|proxy|network|observability)\./
    expect(names.filter((name) => !others.test(name))).toEqual(chosen.sort())
  })
})

describe('the matrix of what CI runs', () => {
  it('has a row for every variant of every server', async () => {
    const matrix = /<!-- matrix:begin -->(.*)<!-- matrix:end -->/s.exec(
      await textOf('observability/README.md'),
    )?.[1]
    const rows = [...(matrix ?? '').matchAll(/^\| (Loki|Tempo|Collector), `?([\w-]+)`? \|/gm)]
    const { loki, tempo, collector } = variantOrder
    const expected = Object.entries({ Loki: loki, Tempo: tempo, Collector: collector }).flatMap(
      ([server, files]) => ['base', ...files].map((variant) => `${server}, ${variant}`),
    )
    expect(rows.map(([, server, variant]) => `${server}, ${variant}`).sort()).toEqual(expected.sort())
  })
})

describe('chosenOverlays', () => {
  it('takes none, and one of each axis in whatever order', () => {
    expect(chosenOverlays([])).toEqual([])
    expect(chosenOverlays(['collector.otlp', 'loki.s3-minio'])).toEqual(['loki.s3-minio', 'collector.otlp'])
  })

  it('refuses what is not there, two of one axis, and two stores', () => {
    expect(chosenOverlays(['loki.s3-aws'])).toStartWith('unknown overlay loki.s3-aws')
    expect(chosenOverlays(['loki.s3-minio', 'loki.s3-hetzner'])).toStartWith('choose one of')
    expect(chosenOverlays(['loki.s3-minio', 'tempo.s3-hetzner'])).toStartWith('choose one store')
  })
})

describe('composeFiles', () => {
  it('includes the object store if an overlay keeps objects in it', () => {
    expect(composeFiles([])).toEqual(['compose/stacks/observability.yaml'])
    expect(composeFiles(['tempo.s3-hetzner'])).not.toContain('compose/stacks/object-store.yaml')
    expect(composeFiles(['tempo.s3-minio'])).toEqual([
      'compose/stacks/object-store.yaml',
      'compose/stacks/observability.yaml',
      'overlays/tempo.s3-minio.yaml',
    ])
  })

  it('has Prometheus scrape the servers that run with it', () => {
    const scraped = composeFiles(['loki.s3-minio', 'collector.otlp', 'metrics.prometheus'])
    expect(scraped).toContain('overlays/scrape.minio.yaml')
    expect(scraped).toContain('overlays/scrape.collector.yaml')
    expect(composeFiles(['metrics.prometheus']).join()).not.toContain('scrape')
    expect(composeFiles(['loki.s3-minio', 'collector.otlp']).join()).not.toContain('scrape')
  })
})

describe('the images of the observability stack', () => {
  it('are tagged with the versions that are built natively', async () => {
    const { version: loki } = await readRecipe('loki')
    const { version: tempo } = await readRecipe('tempo')
    const { version: collector } = await readRecipe('otel-collector')
    const { version: toxiproxy } = await readRecipe('toxiproxy')
    expect<string>(observabilityImages.loki.standard).toBe(`grafana/loki:${loki.slice(1)}`)
    // The commit of release 2.9.0: as a module it has no version of its own.
    expect(tempo).toEndWith('-607c7fb69662')
    expect(observabilityImages.tempo.standard).toBe('grafana/tempo:2.9.0')
    expect(observabilityImages['otel-collector'].standard).toEndWith(`:${collector.slice(1)}`)
    expect(observabilityImages.toxiproxy.standard).toEndWith(`:${toxiproxy.slice(1)}`)
    expect(await textOf('compose/images/observability/collector.Dockerfile')).toContain(
      `otel/opentelemetry-collector:${collector.slice(1)}`,
    )
  })

  it('are the defaults of the variables in the compose files', async () => {
    const files = [
      ...composeFiles(['collector.otlp', 'metrics.prometheus', 'dashboards.grafana']),
      'compose/stacks/observability-services.yaml',
      'compose/stacks/store-route.yaml',
    ]
    const text = (await Promise.all(files.map(textOf))).join('\n')
    for (const { variable, standard } of Object.values(observabilityImages)) {
      expect(text).toContain(`image: $\{${variable}:-${standard}}`)
    }
  })
})
