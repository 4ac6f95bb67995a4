import { digestOf, KiB, randomDocument } from '../service/sample-documents.ts'
import type { StoredDocuments, StoredVersion } from './stored-documents.ts'

/** What clients have asked who know nothing of a second store. */
export interface TrafficReport {
  uploads: number
  reads: number
  /** What was wrong, one line each. */
  failures: string[]
}

export interface Traffic {
  /** Ends it once what is under way is answered. */
  stop(): Promise<TrafficReport>
}

/** As many ask at once. */
const clients = 4
/** One in so many requests is an upload: all of it has to be read back afterwards. */
const readsPerUpload = 12

/**
 * Keeps uploading, under names that begin with `name`, and reading by digest, by tag and by listing what was stored
 * before it began; nothing is tried twice. What is uploaded counts as stored from then on, and is not read here: while
 * both stores answer, only one of them has it.
 */
export function startTraffic(stored: StoredDocuments, name: string): Traffic {
  const before = [...stored.versions]
  const latest = new Map([...stored.tags].filter(([key]) => key.endsWith(' latest')))
  const report: TrafficReport = { uploads: 0, reads: 0, failures: [] }
  let ended = false

  const attempt = async (what: string, ask: () => Promise<boolean>) => {
    const wrong = await ask().then(
      (isRight) => (isRight ? null : 'another answer'),
      (error: unknown) => String(error),
    )
    if (wrong !== null) report.failures.push(`${new Date().toISOString()} ${what}: ${wrong}`)
  }
  const upload = (client: number) =>
    attempt('upload', async () => {
      report.uploads += 1
      await stored.upload(`${name}-${client}-${report.uploads}`, randomDocument(2 * KiB))
      return true
    })
  const read = async (one: StoredVersion, nth: number) => {
    report.reads += 1
    const ref = { type: one.type, name: one.name }
    if (nth % 3 === 0) {
      await attempt(`get ${one.name}`, async () => {
        const { bytes } = await stored.client.getBytes({ ...ref, digest: one.digest })
        return digestOf(bytes) === one.digest
      })
    } else if (nth % 3 === 1) {
      await attempt(`tag of ${one.name}`, async () => {
        const { digest } = await stored.client.getTag(ref, 'latest')
        return digest === latest.get(`${one.name} latest`)?.digest
      })
    } else {
      await attempt(`list ${one.name}`, async () => {
        const { rows } = await stored.client.listPage(ref)
        return rows.some(({ digest }) => digest === one.digest)
      })
    }
  }
  const work = async (client: number) => {
    for (let nth = 0; !ended; nth++) {
      const one = before[Math.floor(Math.random() * before.length)]
      if (nth % readsPerUpload === 0 || one === undefined) await upload(client)
      else await read(one, nth)
      await Bun.sleep(60)
    }
  }
  const working = Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
  return {
    async stop() {
      ended = true
      await working
      return report
    },
  }
}
