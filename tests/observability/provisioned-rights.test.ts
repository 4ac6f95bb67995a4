import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createBucketSettings } from '../../service/object-store/s3/bucket-settings.ts'
import { applyBucket } from '../../service/provisioning/apply.ts'
import { telemetryRights } from '../../service/provisioning/service-rights.ts'
import { wantedBucket } from '../../service/provisioning/wanted-bucket.ts'
import { folderForTests } from '../support/folder.ts'
import { idsWith, reportIn, storeVariables, validate } from '../support/observability/validate-program.ts'
import { registerSecret } from '../support/secrets.ts'
import { startPrivateRgw } from '../support/stores/rgw.ts'
import { makeRgwProject } from '../support/stores/rgw-project.ts'

// Time limits catch what hangs, and are far above what a busy machine needs.
const millisecondsMax = 20 * 60_000
setDefaultTimeout(millisecondsMax)

const rgw = await startPrivateRgw()
const folder = await folderForTests('provisioned-rights-')

afterAll(() => rgw.stop())

describe('buckets that were provisioned for Loki and Tempo, on Ceph RGW', () => {
  it('leave their key all that the proof needs, and nothing outside of their prefixes', async () => {
    const [provisioner, user] = await makeRgwProject(rgw, 2)
    if (!provisioner || !user) throw new Error('no keys')
    for (const { secretAccessKey } of [provisioner, user]) registerSecret(secretAccessKey)
    const settings = createBucketSettings({ ...rgw, ...provisioner })
    const [loki = '', tempo = ''] = ['loki', 'tempo'].map(
      (name) => `${name}-${randomBytes(8).toString('hex')}`,
    )
    const places = [
      { bucket: loki, prefix: 'loki/' },
      { bucket: tempo, prefix: 'tempo/' },
    ]
    for (const place of places) {
      const principals = { provisioners: [provisioner.principal], users: [user.principal] }
      const plain = { versioning: false, objectLock: null, oldVersionDays: 30, browserOrigins: [] }
      const wanted = wantedBucket({ ...plain, place, principals, rights: telemetryRights })
      const outcomes = await applyBucket(settings, wanted)
      expect(outcomes.filter(({ done }) => !done)).toEqual([])
    }
    settings.close()
    const env = await storeVariables({ ...rgw, ...user }, { loki, tempo }, folder)
    const result = await validate(['--json', '--evidence', join(folder, 'evidence')], env)
    const report = reportIn(result)
    expect(idsWith(report, 'failed', 'missing', 'not run')).toEqual([])
    expect(result.stdout).toContain('these credentials may not write outside the prefix at all')
    expect(result.exitCode).toBe(0)
  })
})
