import { compareGet, type GetOptions } from './compare-get.ts'
import { compareLargePut } from './compare-large-put.ts'
import { compareList, compareNames, compareTypes } from './compare-list.ts'
import { compareReplicas } from './compare-replicas.ts'
import { compareSign, compareSignedDownloads } from './compare-sign.ts'
import { compareSmallPut } from './compare-small-put.ts'
import { compareTelemetry } from './compare-telemetry.ts'
import type { Comparison, Operation, Target } from './comparison.ts'
import type { Stage } from './stage.ts'

const KiB = 2 ** 10
const MiB = 2 ** 20

/** As fast as a gateway that verifies nothing. */
const aheadOfGateway: Target = { side: 'service', than: 'VersityGW', rateMin: 1 }
const cpuOfGateway: Target = { side: 'service', than: 'VersityGW', cpuMax: 1.2 }
const twoReads: Target = {
  side: 'service by latest',
  than: 'a bare client: record and version',
  rateMin: 0.85,
}
const byLatest: Target = { side: 'service by latest', than: 'service', rateMin: 0.85 }

type Row = readonly [Operation, (stage: Stage) => Promise<Comparison>]

const get = (options: GetOptions): Row => ['get', (stage) => compareGet(stage, options)]

/** All comparisons in their order, each with what it should reach (ARCHITECTURE.md, "Performance goals"). */
export const rows: readonly Row[] = [
  ['sign', async () => compareSign()],
  ['sign', compareSignedDownloads],
  get({
    title: '4 KiB',
    size: 4 * KiB,
    connections: 1,
    unit: 'requests',
    // Latency: at most 1.3 times that of a read by digest.
    targets: [{ side: 'service by latest', than: 'service', rateMin: 1 / 1.3 }],
  }),
  get({
    title: '4 KiB',
    size: 4 * KiB,
    connections: 16,
    unit: 'requests',
    targets: [aheadOfGateway, twoReads],
  }),
  get({
    title: '64 KiB',
    size: 64 * KiB,
    connections: 16,
    unit: 'requests',
    targets: [aheadOfGateway, twoReads],
  }),
  get({
    title: '1 MiB',
    size: MiB,
    connections: 16,
    unit: 'MiB',
    targets: [aheadOfGateway, cpuOfGateway, byLatest],
  }),
  get({
    title: '64 MiB',
    size: 64 * MiB,
    connections: 4,
    unit: 'MiB',
    targets: [aheadOfGateway, cpuOfGateway, byLatest],
  }),
  ['put', compareSmallPut],
  ['put', (stage) => compareLargePut(stage, 1)],
  ['put', (stage) => compareLargePut(stage, 4)],
  ['list', (stage) => compareList(stage, 1)],
  ['list', (stage) => compareList(stage, 4)],
  ['list', (stage) => compareNames(stage, 1)],
  ['list', (stage) => compareNames(stage, 4)],
  ['list', compareTypes],
  ['replicas', compareReplicas],
  ['telemetry', (stage) => compareTelemetry(stage, 'get')],
  ['telemetry', (stage) => compareTelemetry(stage, 'list')],
]
