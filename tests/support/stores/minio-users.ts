import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildServer } from '../../../compose/servers/build-server.ts'
import {
  type RunningStore,
  randomCredentials,
  type StoreCredentials,
} from '../../../compose/servers/running-store.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { registerSecret } from '../secrets.ts'

/** Users of a MinIO and what they may do, through its administration (`mc admin`). */
export interface MinioUsers {
  /** A user that may do nothing yet. */
  add(): Promise<StoreCredentials>
  /** Gives the user this policy, in place of the one before. */
  setPolicy(user: StoreCredentials, policy: object): Promise<void>
  close(): Promise<void>
}

/** Creates the administration of this MinIO's users. */
export async function minioUsers(minio: RunningStore): Promise<MinioUsers> {
  const mc = await withProgress('building mc', (onProgress) => buildServer('mc', { onProgress }))
  const folder = await mkdtemp(join(tmpdir(), 'mc-'))

  /** Keys go through standard input: arguments can be read by everyone on the machine. */
  async function run(args: string[], input = ''): Promise<void> {
    const argv = [mc, '--config-dir', folder, '--quiet', ...args]
    const child = Bun.spawn(argv, { stdin: new Blob([input]), stdout: 'pipe', stderr: 'pipe' })
    const said = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(`mc ${args.join(' ')}: ${said}`)
  }

  const { endpoint: url, accessKeyId: accessKey, secretAccessKey: secretKey } = minio
  const alias = JSON.stringify({ url, accessKey, secretKey, api: 's3v4', path: 'on' })
  await run(['alias', 'import', 'store', '/dev/stdin'], alias)
  const attached = new Set<string>()
  return {
    async add() {
      const user = randomCredentials()
      registerSecret(user.secretAccessKey)
      await run(['admin', 'user', 'add', 'store'], `${user.accessKeyId}\n${user.secretAccessKey}\n`)
      return user
    },

    async setPolicy({ accessKeyId }, policy) {
      const file = join(folder, 'policy.json')
      await Bun.write(file, JSON.stringify(policy))
      const name = `of-${accessKeyId}`
      await run(['admin', 'policy', 'create', 'store', name, file])
      if (attached.has(name)) return
      await run(['admin', 'policy', 'attach', 'store', name, '--user', accessKeyId])
      attached.add(name)
    },

    close: () => rm(folder, { recursive: true }),
  }
}
