import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildServer } from '../../../compose/servers/build-server.ts'
import {
  randomCredentials,
  type StoreConnection,
  type StoreCredentials,
} from '../../../compose/servers/running-store.ts'
import { registerSecret } from '../secrets.ts'

/** What a user may do, as IAM writes it. */
export interface Policy {
  Version: string
  Statement: { Effect: 'Allow'; Action: string[]; Resource?: string }[]
}

/** Users of a MinIO, each with one policy at a time. */
export interface StoreUsers {
  add(name: string, policy: Policy): Promise<StoreCredentials>
  /** Replaces the policy of a user; the new one holds at once. */
  change(name: string, policy: Policy): Promise<void>
}

/**
 * Returns a maker of users that uses `mc`, as `compose/stacks/object-store/init.sh` does.
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
    await writeFile(file, JSON.stringify(policy))
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
      // Keys go through standard input: everyone on the machine can see arguments.
      await mc(['user', 'add', 'store'], `${made.accessKeyId}\n${made.secretAccessKey}\n`)
      users.set(name, { accessKeyId: made.accessKeyId, policy: undefined })
      await change(name, policy)
      return made
    },
    change,
  }
}

/** Returns the policy that the compose stack gives Loki, Tempo and the service: access to their bucket. */
export function bucketPolicy(bucket: string): Policy {
  return delivered('bucket-policy.json', bucket)
}

/** Returns that policy without some actions. */
export function bucketPolicyWithout(bucket: string, ...actions: string[]): Policy {
  const { Version, Statement } = bucketPolicy(bucket)
  const left = Statement.map(({ Action, ...rest }) => ({
    Action: Action.filter((action) => !actions.includes(action)),
    ...rest,
  }))
  return { Version, Statement: left }
}

/** Returns the policy that the compose stack gives the reader of MinIO's metrics. */
export function metricsPolicy(): Policy {
  return delivered('metrics-policy.json', '')
}

function delivered(file: string, bucket: string): Policy {
  const text = readFileSync(new URL(`../../../compose/stacks/object-store/${file}`, import.meta.url), 'utf8')
  return JSON.parse(text.replaceAll('BUCKET', bucket))
}
