import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { freePort } from '../../../compose/servers/free-port.ts'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { Diagnosis } from '../../../service/cli/doctor/report.ts'
import { capabilitiesOf, probeRows } from '../../../service/object-store/probe/probe.ts'
import { runScript, type ScriptRun } from '../../support/commands/script-run.ts'
import { knownCapabilities } from '../../support/stores/known-capabilities.ts'
import { refusal, startLyingStore } from '../../support/stores/lying-store.ts'
import { absentBucketStatus, useStore } from '../../support/stores/probe-under-test.ts'
import { knownVerdicts } from '../../support/stores/store-findings.ts'
import { startStoreProxy } from '../../support/stores/strict-proxy.ts'

const store = await useStore()

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

function doctor(
  { endpoint, accessKeyId, secretAccessKey, region }: Omit<StoreConnection, 'kind'>,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<ScriptRun> {
  return runScript('doctor', args, {
    S3_ENDPOINT: endpoint,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: store.bucket,
    ...env,
  })
}

function diagnosisIn({ out }: ScriptRun): Diagnosis {
  return JSON.parse(out) as Diagnosis
}

describe('bun run doctor on the store of this run', () => {
  let result: ScriptRun
  beforeAll(async () => {
    result = await doctor(store)
  })

  it('finds it fit', () => {
    expect(result.exitCode).toBe(0)
    expect(result.out).toContain(`\n${store.bucket} is fit (exit code 0)\n`)
  })

  it('prints a row for every question, with its mark', () => {
    const verdicts = knownVerdicts(store.kind)
    const marked = result.out.split('\n').filter((line) => /^[✓✗?] /.test(line))
    const expected = probeRows.map(({ id }) => ({ yes: '✓', no: '✗', unknown: '?' })[verdicts[id]])
    expect(marked.map((line) => line[0] ?? '')).toEqual(expected)
    const seen = `right: 200; absent bucket: ${absentBucketStatus(store)}`
    expect(result.out).toMatch(
      new RegExp(`^✓ {2}Is the bucket there, and an absent one {2,}${seen} {2,}documents have a place$`, 'm'),
    )
  })

  it('says whether the copy hole is there, and which method tickets use and why', () => {
    const lines = result.out.split('\n')
    if (store.kind === 'seaweedfs') {
      expect(lines).toContain('copy hole: absent → PUT tickets possible')
      expect(lines).toContain(
        'tickets: presigned PUT: unsigned x-amz-* headers are refused here, and forms are out (post-policy-bounds no)',
      )
    } else {
      expect(lines).toContain('copy hole: present → PUT tickets are off')
      expect(lines).toContain(
        'tickets: signed forms (POST policy): bound to key, size, type, fields and time, and without a copy hole',
      )
    }
  })

  it('says that it cleaned up, and shows its progress apart from the result', () => {
    expect(result.out).toContain('\nclean-up: all keys of this probe were removed\n')
    expect(result.err).toMatch(/^doctor: 0 s, starting\n(.*\n)*doctor: done after \d+ s\n$/)
  })

  it('prints the same for machines', async () => {
    const { exitCode, out } = await doctor(store, ['--json'])
    const {
      store: asked,
      verdict,
      capabilities,
      findings,
      left,
      ...others
    } = diagnosisIn({
      exitCode,
      out,
      err: '',
    })
    expect(asked).toEqual({ endpoint: store.endpoint, bucket: store.bucket, prefix: 'docs/' })
    expect({ verdict, exitCode, left, because: others.because }).toEqual({
      verdict: 'fit',
      exitCode: 0,
      left: [],
      because: [],
    })
    expect(capabilities).toEqual(knownCapabilities(store.kind))
    expect(capabilitiesOf(findings)).toEqual(capabilities)
    expect(others.tickets.method).toBe(capabilities.ticketMethod as 'POST' | 'PUT')
    expect(others.tickets.copyHole).toBe(store.kind === 'seaweedfs' ? 'absent' : 'present')
  })

  it('reports the hole as absent behind a proxy that refuses unsigned x-amz-* headers', async () => {
    const proxy = await startStoreProxy(store, { refuseUnsignedAmzHeaders: true })
    stops.push(() => proxy.stop())
    const { exitCode, out } = await doctor(proxy)
    expect(exitCode).toBe(0)
    expect(out).toContain('\ncopy hole: absent → PUT tickets possible\n')
  })
})

describe('bun run doctor on a store with a defect', () => {
  it('finds a store that lacks a property fit with limits, and says which', async () => {
    const liar = startLyingStore(store, {
      answer: ({ method, query }) => (method === 'DELETE' && 'uploadId' in query ? refusal(405) : null),
    })
    stops.push(liar.stop)
    const { exitCode, out } = await doctor(liar)
    expect(exitCode).toBe(1)
    expect(out).toContain(`${store.bucket} is fit with limits (exit code 1): multipart-abort (right: 405 `)
  })

  it('names the keys that a store did not remove', async () => {
    const liar = startLyingStore(store, {
      answer: ({ method, key }) => (method === 'DELETE' && key.endsWith('/empty') ? refusal(403) : null),
    })
    stops.push(liar.stop)
    const { out } = await doctor(liar)
    expect(out).toMatch(
      /\nclean-up: these keys could not be removed; .*: docs\/staging\/_probe\/[0-9a-f-]+\/empty\n/,
    )
  })

  it('finds a store without the bucket unfit', async () => {
    const { exitCode, out } = await doctor(store, [], { S3_BUCKET_DOCS: 'test-no-such-bucket' })
    expect(exitCode).toBe(3)
    const seen = `right: 404; absent bucket: ${absentBucketStatus(store)}`
    expect(out).toContain(`\ntest-no-such-bucket is unfit (exit code 3): bucket (${seen})\n`)
  })

  it('finds a store out of reach unfit, with nothing but open questions', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const { exitCode, out } = await doctor({ ...store, endpoint })
    expect(exitCode).toBe(3)
    const marked = out.split('\n').filter((line) => /^[✓✗?] /.test(line))
    expect(marked).toHaveLength(probeRows.length)
    expect(marked.filter((line) => !line.startsWith('?'))).toEqual([])
    expect(out).toContain('copy hole: unknown → PUT tickets are off')
    expect(out).toContain('tickets: none for now: it could not be found out which way is safe')
  })
})

describe('bun run doctor with wrong usage or configuration', () => {
  it('names every problem of the configuration, and exits with 2', async () => {
    const { exitCode, err, out } = await doctor(store, [], { S3_REGION: '', S3_SURPRISE: 'x' })
    expect(exitCode).toBe(2)
    expect(out).toBe('')
    expect(err).toContain('The configuration has 2 problems:')
    expect(err).toContain('S3_SURPRISE')
  })

  it('needs none of the variables about tokens', async () => {
    const { exitCode } = await doctor(store, ['--json'], { AUTH_ISSUER: 'nonsense' })
    expect(exitCode).toBe(0)
  })

  it('refuses an unknown option, and an origin with a path', async () => {
    expect((await doctor(store, ['--fix'])).exitCode).toBe(2)
    const { exitCode, err } = await doctor(store, ['--origin', 'ui.example/path'])
    expect(exitCode).toBe(2)
    expect(err).toContain('https://ui.example')
  })
})
