import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningMinio } from '../../../compose/servers/minio.ts'
import { eachObject } from '../../../service/object-store/each-object.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { StoreForTests } from './service-key.ts'
import { startPrivateStore } from './store.ts'

/** A MinIO whose disk the test can look at: its listing of unfinished uploads knows whole keys only. */
export interface OpenStore extends RunningMinio, StoreForTests {
  kind: 'minio'
  dataDir: string
  /** Files of uploads in parts that were neither completed nor aborted. */
  unfinished(): Promise<string[]>
  /** The same MinIO again, on the same port, disk and credentials, after `kill`. */
  restarted(): Promise<OpenStore>
}

/** Starts one, whose disk is removed when it is stopped. */
export async function startOpenStore(): Promise<OpenStore> {
  const dataDir = await mkdtemp(join(tmpdir(), 'store-disk-'))
  const first = await startPrivateStore({ dataDir })
  const opened = (minio: RunningMinio & StoreForTests): OpenStore => ({
    ...minio,
    dataDir,
    pause() {
      minio.pause()
      // The signal reaches the threads one by one: until then one of them may still answer.
      while (!isStopped(minio.pid)) {}
    },
    unfinished: () => filesBelow(join(dataDir, '.minio.sys', 'multipart')),
    async restarted() {
      const { accessKeyId, secretAccessKey } = minio
      const port = Number(new URL(minio.endpoint).port)
      return opened(await startPrivateStore({ dataDir, port, credentials: { accessKeyId, secretAccessKey } }))
    },
    async stop() {
      await minio.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  })
  return opened(first)
}

/** Returns whether all threads of a process are stopped (proc_pid_stat(5)). */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'T'
  })
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Lists every key that begins with `prefix`. */
export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return Array.fromAsync(eachObject(store, prefix), ({ key }) => key)
}

/** Lists what lies in staging, except the leases of completions: they stay for as long as their tickets are good. */
export async function stagedKeys(store: ObjectStore): Promise<string[]> {
  return (await keysOf(store, 'staging/')).filter((key) => !key.endsWith('.lease'))
}

const hourMilliseconds = 60 * 60 * 1000

/** Returns the same store with a clock that is ahead by `hours`: real objects cannot be made older. */
export function later(store: ObjectStore, hours: number): ObjectStore {
  return {
    ...store,
    clock: async (options) => new Date((await store.clock(options)).getTime() + hours * hourMilliseconds),
  }
}

/** Lists what a failed upload may have left behind; nothing, if all is well. */
export async function leftovers(disk: OpenStore, store: ObjectStore): Promise<string[]> {
  return [...(await keysOf(store, 'staging/')), ...(await disk.unfinished())]
}
