import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { parseRequest } from '../../observability/proof/flags.ts'
import { checksOf } from '../../observability/proof/plan.ts'
import { folderForTests } from '../support/folder.ts'
import { idsWith, reportIn, validate } from '../support/observability/validate-program.ts'

const folder = await folderForTests('validate-rgw-')
const evidence = ['--evidence', join(folder, 'evidence')]
const result = await validate(['--store', 'ceph-rgw', '--tls', '--json', ...evidence])

describe('bun run validate --store ceph-rgw --tls', () => {
  it('starts a Ceph RGW behind a private authority, and proves the same on it', () => {
    const report = reportIn(result)
    expect(idsWith(report, 'failed', 'missing', 'not run')).toEqual([])
    expect(idsWith(report, 'proved')).toEqual(['setup', ...checksOf(parseRequest([])).map(({ id }) => id)])
    expect(report.store.endpoint).toStartWith('https://127.0.0.1:')
    expect(result.exitCode).toBe(0)
  })
})
