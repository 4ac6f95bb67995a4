import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildServer } from '../../compose/servers/build-server.ts'
import {
  randomCredentials,
  type StoreConnection,
  type StoreCredentials,
} from '../../compose/servers/running-store.ts'
import { registerSecret } from '../servers/secrets.ts'

/** What a user may do, as IAM writes it. */
export interface Policy {
  Action: readonly string[]
  Resource?: readonly string[]
}

/** Users of a MinIO, each with one policy at a time. */
export interface StoreUsers {
  add(name: string, policy: Policy): Promise<StoreCredentials>
  /** Another policy for a user that was added; it holds at once. */
  change(name: string, policy: Policy): Promise<void>
}

/**
 * Makes them with `mc`, as `compose/object-store/init.sh` does.
 *
 * @param folder for the files of `mc`.
 */
export async function storeUsers(store: StoreConnection, folder: string): Promise<StoreUsers> {
  const program = await buildServer('mc')
  const { protocol, host } = new URL(store.endpoint)
  const env = {
    HOME: folder,
    PATH: '/usr/bin:/bin',
    MC_HOST_store: `${protocol}//${store.accessKeyId}:${store.secretAccessKey}@${host}`,
  }
  const users = new Map<string, { accessKeyId: string; policy: string | undefined }>()
  let policies = 0

  async function mc(args: string[], input = ''): Promise<void> {
    const argv = [program, '--quiet', '--config-dir', folder, 'admin', ...args]
    const child = Bun.spawn(argv, { env, stdin: Buffer.from(input), stdout: 'ignore', stderr: 'pipe' })
    const problems = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(`mc admin ${args.join(' ')}: ${problems}`)
  }

  async function change(name: string, policy: Policy): Promise<void> {
    const user = users.get(name)
    if (user === undefined) throw new Error(`there is no user ${name}`)
    policies += 1
    const policyName = `${name}-${policies}`
    const file = join(folder, `${policyName}.json`)
    await writeFile(
      file,
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...policy }] }),
    )
    await mc(['policy', 'create', 'store', policyName, file])
    await mc(['policy', 'attach', 'store', policyName, '--user', user.accessKeyId])
    if (user.policy !== undefined)
      await mc(['policy', 'detach', 'store', user.policy, '--user', user.accessKeyId])
    user.policy = policyName
  }

  return {
    async add(name, policy) {
      const made = randomCredentials()
      registerSecret(made.secretAccessKey)
      // Keys by standard input: arguments are for everyone on the machine to see.
      await mc(['user', 'add', 'store'], `${made.accessKeyId}\n${made.secretAccessKey}\n`)
      users.set(name, { accessKeyId: made.accessKeyId, policy: undefined })
      await change(name, policy)
      return made
    },
    change,
  }
}

/** All that Loki or Tempo do in their bucket. */
export function bucketPolicy(bucket: string): Policy {
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]
  return { Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'], Resource }
}

/** The same without what a careful administrator might take away. */
export function policyWithoutDelete(bucket: string): Policy {
  const { Action, ...rest } = bucketPolicy(bucket)
  return { Action: Action.filter((action) => action !== 's3:DeleteObject'), ...rest }
}

/** What is left to someone who may only read. */
export function readPolicy(bucket: string): Policy {
  return { ...bucketPolicy(bucket), Action: ['s3:ListBucket', 's3:GetObject'] }
}

/** Of whoever reads MinIO's metrics: `compose/object-store/metrics-policy.json`. */
export const metricsPolicy: Policy = { Action: ['admin:Prometheus'] }
