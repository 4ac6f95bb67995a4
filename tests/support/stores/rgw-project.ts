import { randomBytes } from 'node:crypto'
import { mustRun } from '../../../compose/run-command.ts'
import type { RunningRgw } from '../../../compose/servers/ceph-rgw.ts'
import type { StoreCredentials } from '../../../compose/servers/running-store.ts'

/** A key of a project, and how bucket policies name it. */
export interface ProjectKey extends StoreCredentials {
  /** `arn:aws:iam:::user/p<project>:<access key id>` */
  principal: string
}

/**
 * Creates a project as in Hetzner Object Storage: one user of RGW, and a subuser for each key, named after its access
 * key. Each of them owns all buckets of the project.
 *
 * Source: docs.hetzner.com, "S3 credentials" (the form of a principal); docs.ceph.com, "User Management".
 */
export async function makeRgwProject(rgw: RunningRgw, keys: number): Promise<ProjectKey[]> {
  const env = rgw.adminEnv
  const uid = `p${randomBytes(4).readUInt32BE()}`
  await mustRun(['radosgw-admin', 'user', 'create', `--uid=${uid}`, '--display-name=project'], { env })
  const made: ProjectKey[] = []
  for (let count = 0; count < keys; count += 1) {
    const id = randomBytes(10).toString('hex').toUpperCase()
    // RGW generates the secret, so no argument contains it.
    const create = ['subuser', 'create', `--uid=${uid}`, `--subuser=${id}`, '--access=full']
    const user = await mustRun(
      ['radosgw-admin', ...create, '--key-type=s3', `--access-key=${id}`, '--gen-secret'],
      { env },
    )
    const { keys: known } = JSON.parse(user) as { keys: { access_key: string; secret_key: string }[] }
    const secret = known.find(({ access_key }) => access_key === id)?.secret_key
    if (secret === undefined) throw new Error('radosgw-admin made a subuser without a key')
    made.push({ accessKeyId: id, secretAccessKey: secret, principal: `arn:aws:iam:::user/${uid}:${id}` })
  }
  return made
}
