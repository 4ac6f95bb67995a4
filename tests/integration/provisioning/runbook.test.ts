import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { newBucket, placeOf } from '../../support/commands/provision-under-test.ts'
import { blocksOf, folderWithBun, runCommands } from '../../support/commands/runbook-blocks.ts'
import { folderForTests } from '../../support/folder.ts'
import { registerSecret } from '../../support/secrets.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { startPrivateRgw } from '../../support/stores/rgw.ts'
import { makeRgwProject, type ProjectKey } from '../../support/stores/rgw-project.ts'

const runbook = await Bun.file(new URL('../../../docs/provisioning.md', import.meta.url)).text()
const blocks = blocksOf(runbook)
const run = new Set<string>()

const buckets = { docs: newBucket(), loki: newBucket() }

const rgw = stoppedAfterTests(await startPrivateRgw())
const [provisioner, spare, old, fresh, loki] = await makeRgwProject(rgw, 5)
if (!provisioner || !spare || !old || !fresh || !loki) throw new Error('no keys')
const keys = { provisioner, spare, old, fresh, loki }
for (const { secretAccessKey } of Object.values(keys)) registerSecret(secretAccessKey)
const folder = await folderForTests('provisioning-')
const path = `${await folderWithBun(folder)}:${process.env.PATH}`
await writeSettings([old], old)

/** The two files as the runbook shows them, with secrets in files of their own. */
async function writeSettings(admitted: ProjectKey[], deployed: ProjectKey): Promise<void> {
  const { provisioner, spare, loki } = keys
  const places = { ...placeOf(rgw, buckets.docs), S3_BUCKET_LOKI: buckets.loki }
  await writeEnv('provision', {
    ...places,
    ...(await keyFiles('PROVISION', provisioner)),
    PROVISION_PRINCIPALS: `${provisioner.principal},${spare.principal}`,
    PROVISION_SERVICE_PRINCIPALS: admitted.map(({ principal }) => principal).join(','),
    PROVISION_LOKI_PRINCIPALS: loki.principal,
    PROVISION_UI_ORIGINS: 'https://documents.example.com',
  })
  await writeEnv('service', { ...places, ...(await keyFiles('S3', deployed)) })
}

async function keyFiles(whose: string, key: ProjectKey): Promise<Record<string, string>> {
  await Bun.write(join(folder, `${whose}-key`), key.accessKeyId)
  await Bun.write(join(folder, `${whose}-secret`), `${key.secretAccessKey}\n`)
  return {
    [`${whose}_ACCESS_KEY_ID_FILE`]: join(folder, `${whose}-key`),
    [`${whose}_SECRET_ACCESS_KEY_FILE`]: join(folder, `${whose}-secret`),
  }
}

async function writeEnv(name: string, variables: Record<string, string>): Promise<void> {
  const lines = Object.entries(variables).map(([variable, value]) => `${variable}=${value}\n`)
  await Bun.write(join(folder, `${name}.env`), lines.join(''))
}

/** Runs a block of the runbook. */
async function follow(name: string): Promise<string> {
  run.add(name)
  const setup = blocks.get('setup')
  const text = blocks.get(name)
  if (setup === undefined || text === undefined) throw new Error(`the runbook has no block ${name}`)
  const env = { HOME: folder, PATH: path, PROVISIONING: folder }
  const { exitCode, out, err } = await runCommands(setup + text, env)
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}:\n${out}${err}`)
  return out
}

describe('docs/provisioning.md, on Ceph RGW', () => {
  it('leads from nothing to buckets with only the rights that the service needs', async () => {
    expect(await follow('plan')).toContain(`~ ${buckets.docs}: bucket: absent → there`)
    expect(await follow('apply')).toContain(', 0 that the store could not do')
    expect(await follow('verify')).toContain(`✓ reach bucket ${buckets.loki} is refused: 403`)
    expect(await follow('doctor')).toContain('tickets: ')
  })

  it('replaces a key while the old one still works, and refuses the old one in the end', async () => {
    const { old, fresh } = keys
    await writeSettings([old, fresh], old)
    await follow('admit-new-key')
    await follow('verify')
    await writeSettings([old, fresh], fresh)
    await follow('verify-new-key')
    await writeSettings([fresh], fresh)
    await follow('drop-old-key')
    await writeSettings([fresh], old)
    await expect(follow('verify')).rejects.toThrow('✗ put an object works: 403 AccessDenied')
    await writeSettings([fresh], fresh)
  })

  it('applies a retention rule, and prints the policy for stores that have users', async () => {
    expect(await follow('retain')).toContain('✓ 0 versions, 0 B removed')
    expect(JSON.parse(await follow('user-policy'))).toMatchObject({ Version: '2012-10-17' })
  })

  it('has no block that was not run', () => {
    expect([...blocks.keys()].filter((name) => !run.has(name))).toEqual(['setup'])
  })
})
