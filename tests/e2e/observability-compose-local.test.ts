import { afterAll, describe, expect, it } from 'bun:test'
import { freePorts } from '../../compose/servers/free-port.ts'
import { newMarker } from '../../observability/proof/marker.ts'
import { queryLines } from '../../observability/proof/servers/loki-api.ts'
import { linesOf, sendLog, sendTrace } from '../../observability/proof/servers/otlp.ts'
import { traceById } from '../../observability/proof/servers/tempo-api.ts'
import { until } from '../../observability/proof/until.ts'
import { openObservability, upObservability } from '../../observability/stack/observability-stack.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const env = await dockerForTests()
const folder = await folderForTests('cloudlysis-observability-')
const [loki = 0, tempo = 0, tempoOtlp = 0] = await freePorts(3)
const ports = { LOKI_PORT: loki, TEMPO_PORT: tempo, TEMPO_OTLP_PORT: tempoOtlp }
const project = `cloudlysis-local-${process.pid}`
const stack = await withProgress('observability', (onProgress) =>
  upObservability({ folder, project, overlays: [], ports, env, onProgress }),
)

afterAll(async () => {
  // Also where it did not come up.
  const left = await openObservability(folder, env)
  keepPrinted('compose', (await left.compose(['logs', '--no-color'])).stdout)
  await left.remove()
})

describe('Loki and Tempo on local disk by Compose, without any overlay', () => {
  it('still have what they received over OTLP after a stop and a start', async () => {
    const { loki, tempo, tempoOtlp } = stack.urls
    const marker = newMarker()
    expect((await sendLog({ otlpUrl: `${loki}/otlp` }, marker)).status).toBe(204)
    expect((await sendTrace({ otlpUrl: tempoOtlp }, marker)).status).toBe(200)
    await stack.stop()
    await stack.must(['up', '--detach', '--wait'])
    const query = `{service_name="${marker.serviceName}"}`
    const lines = await until(240, async () => {
      const found = await queryLines({ url: loki }, query, { from: marker.at - 1000, to: marker.at + 1000 })
      return found.lines.length === 0 ? null : found.lines.map(({ text }) => text)
    })
    expect(lines).toEqual(linesOf(marker).map(({ text }) => text))
    const trace = await until(240, () => traceById({ url: tempo }, marker.traceId))
    expect(trace?.spans).toHaveLength(2)
  }, 600_000)
})
