import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../../compose/run-command.ts'
import { probed } from '../support/service/probed.ts'
import { loadOf, startOf } from '../support/service/process-load.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { digestOf, MiB, reprDigestOf } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { until } from '../support/waiting.ts'
import { type Spread, spreadOf } from './comparison.ts'
import type { Stage } from './stage.ts'

/** What the executable takes of a machine, and what we aim at. */
export interface Footprint {
  what: string
  unit: 'ms' | 'MiB'
  measured: Spread
  max: number
  /** By the median. */
  met: boolean
}

const root = join(import.meta.dir, '../..')
/** Below what one tenant may have: more would wait. */
const downloads = 24
const uploads = 6
const settlingMilliseconds = 2000
const documents = '/v1/tenants/acme/documents/bench'

/** Builds the executable and measures it: how soon it answers, its memory when idle, and what a transfer adds to that. */
export async function measureFootprint(stage: Stage, rounds: number): Promise<Footprint[]> {
  const outfile = join(stage.folder, 'documents')
  await mustRun([process.execPath, 'service/cli/build/build.ts', '--outfile', outfile], { cwd: root })
  const bytes = await Bun.file(await stage.randomFile('footprint', 64 * MiB)).bytes()
  await stage.upload(`${documents}/footprint`, bytes)
  const version = `${documents}/footprint/versions/${digestOf(bytes)}`
  const starts: number[] = []
  const idle: number[] = []
  const perDownload: number[] = []
  const perUpload: number[] = []
  /** With a process of its own each, since what the collector has not freed yet would count for the next. */
  const withService = async (measure: (service: SpawnedService) => Promise<number>): Promise<number> => {
    const service = await serviceInChild({ argv: [outfile], cwd: stage.folder, replicaOf: stage.service })
    try {
      starts.push(millisecondsOfStart(service))
      await probed(service)
      await Bun.sleep(settlingMilliseconds)
      idle.push(memoryOf(service))
      return await measure(service)
    } finally {
      await service.stop()
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    perDownload.push(
      await withService((service) =>
        perTransfer(service, downloads, () => halfDownload(stage, service, version)),
      ),
    )
    perUpload.push(
      await withService((service) => perTransfer(service, uploads, () => halfUpload(stage, service, bytes))),
    )
  }
  await rm(outfile)
  return [
    judged('from the start of the process until it listens', 'ms', { values: starts, max: 250 }),
    judged('resident when idle', 'MiB', { values: idle, max: 90 }),
    judged(`more for each of ${downloads} half-read downloads of 64 MiB`, 'MiB', {
      values: perDownload,
      max: 1,
    }),
    // What the runtime reads of a body before it is asked for (`limits.unreadBodyBytesMax`), and one more.
    judged(`more for each of ${uploads} half-sent uploads of 64 MiB`, 'MiB', { values: perUpload, max: 2 }),
  ]
}

function judged(
  what: string,
  unit: Footprint['unit'],
  { values, max }: { values: readonly number[]; max: number },
): Footprint {
  const measured = spreadOf(values)
  return { what, unit, measured, max, met: measured.median <= max }
}

function millisecondsOfStart({ process: { pid }, logs }: SpawnedService): number {
  const listening = logs().find(({ event }) => event === 'service.listening')
  return Date.parse(String(listening?.time)) - startOf(pid)
}

function memoryOf({ process: { pid } }: SpawnedService): number {
  return loadOf(pid).memoryMiB
}

/**
 * MiB that a process takes more for each transfer that has begun and waits for its client, once some have begun: what the
 * first ones need is not theirs alone.
 */
async function perTransfer(
  service: SpawnedService,
  count: number,
  begin: () => Promise<RawExchange>,
): Promise<number> {
  const few = Math.ceil(count / 4)
  const begun = await Promise.all(Array.from({ length: few }, begin))
  await Bun.sleep(settlingMilliseconds)
  const before = memoryOf(service)
  begun.push(...(await Promise.all(Array.from({ length: count - few }, begin))))
  await Bun.sleep(settlingMilliseconds)
  const after = memoryOf(service)
  for (const each of begun) each.reset()
  return (after - before) / (count - few)
}

async function halfDownload({ token }: Stage, service: SpawnedService, path: string): Promise<RawExchange> {
  const download = await rawRequest(service.url, {
    method: 'GET',
    path,
    headers: { authorization: `Bearer ${token}` },
  })
  await until(() => download.received() > 0)
  download.pause()
  return download
}

async function halfUpload(
  { token }: Stage,
  service: SpawnedService,
  bytes: Uint8Array,
): Promise<RawExchange> {
  const upload = await rawRequest(service.url, {
    method: 'PUT',
    path: `${documents}/half-${crypto.randomUUID()}`,
    headers: {
      authorization: `Bearer ${token}`,
      'content-length': String(bytes.length),
      'repr-digest': reprDigestOf(bytes),
    },
  })
  await upload.send(bytes.subarray(0, bytes.length / 2))
  return upload
}
