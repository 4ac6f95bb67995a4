import { afterAll, describe, expect, it } from 'bun:test'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRequest } from '../../observability/proof/flags.ts'
import { checksOf } from '../../observability/proof/plan.ts'
import { removeTempFolder } from '../../service/cli/temp-folder.ts'
import { keysIn } from '../support/observability/bucket-objects.ts'
import { idsWith, reportIn } from '../support/observability/validate-program.ts'
import { foreignKey, wholeProof } from '../support/observability/whole-proof.ts'

const whole = await wholeProof()
const report = reportIn(whole.result)

afterAll(() => removeTempFolder(whole.folder))

describe('bun run validate --all, on the MinIO that is configured', () => {
  it('proves everything that was asked, and exits with 0', () => {
    const asked = ['setup', ...checksOf(parseRequest(['--all'])).map(({ id }) => id)]
    expect(idsWith(report, 'failed', 'missing', 'not run', 'not asked')).toEqual([])
    expect(idsWith(report, 'proved')).toEqual(asked)
    expect(whole.result.exitCode).toBe(0)
  })

  it('prints one JSON object about what was proved, of which servers, with the evidence folder', () => {
    const { store, buckets, folder } = whole
    expect(report).toMatchObject({
      exitCode: 0,
      verdict: 'proved',
      deployment: 'native',
      store: { endpoint: store.endpoint },
      servers: {
        loki: { bucket: buckets.loki, prefix: 'logs-of-acme/', variants: ['s3-thanos'] },
        tempo: { bucket: buckets.tempo, prefix: 'traces/of/acme/', variants: ['s3'] },
      },
      evidence: join(folder, 'evidence'),
      left: [],
    })
    const { seen } = report.checks.find(({ id }) => id === 'loki.objects') ?? {}
    expect(seen).toMatch(/^\d+ bytes, CRC32C [0-9a-f]+, tenant fake, 2 lines$/)
  })

  it('writes a JUnit report with a case for each check', async () => {
    const xml = await readFile(join(whole.folder, 'junit.xml'), 'utf8')
    const names = [...xml.matchAll(/<testcase classname="([^"]+)"/g)].map(([, name = '']) => name)
    expect(xml).not.toMatch(/<(failure|error|skipped)/)
    expect(names.sort()).toEqual(report.checks.map(({ id }) => id).sort())
  })

  it('keeps listings, configurations, logs and answers as evidence', async () => {
    const files = await readdir(report.evidence, { recursive: true })
    expect(files).toEqual(
      expect.arrayContaining([
        'report.json',
        'junit.xml',
        'loki/listing-before.txt',
        'loki/listing-after.txt',
        'loki/chunk.json',
        'loki/read-back.json',
        'loki/loki-main.yaml',
        'loki/loki-wrong-secret-retention.log',
        'tempo/meta.json',
        'tempo/search.json',
        'tempo/tempo-fresh.log',
      ]),
    )
    const before = await readFile(join(report.evidence, 'loki/listing-before.txt'), 'utf8')
    const after = await readFile(join(report.evidence, 'loki/listing-after.txt'), 'utf8')
    expect(before).not.toContain('logs-of-acme/fake/')
    expect(after).toMatch(/^logs-of-acme\/fake\/[0-9a-f]+\/[0-9a-f:]+\t/m)
  })

  it('keeps no key of the store in it', async () => {
    const { store, result } = whole
    const files = await readdir(report.evidence, { recursive: true, withFileTypes: true })
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8'))
    const all = (await Promise.all(texts)).join('\n')
    expect(all.length).toBeGreaterThan(10_000)
    expect(all).not.toContain(store.secretAccessKey)
    expect(all).not.toContain(store.accessKeyId)
    expect(result.stdout + result.stderr).not.toContain(store.secretAccessKey)
  })

  it('leaves the buckets as they were', async () => {
    const { store, buckets } = whole
    expect(await keysIn(store, buckets.loki)).toEqual([foreignKey])
    expect(await keysIn(store, buckets.tempo)).toEqual([foreignKey])
  })
})
