import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes a temporary folder (mode 0700) for what this process starts, such as `/tmp/cloudlysis-minio-4711-a1B2c3`,
 * and removes those of the same `name` that were left by processes that have ended.
 */
export async function makeTempFolder(name: string): Promise<string> {
  const prefix = `cloudlysis-${name}-`
  for (const entry of await readdir(tmpdir())) {
    const owner = entry.startsWith(prefix) ? /^(\d+)-/.exec(entry.slice(prefix.length))?.[1] : undefined
    // A folder of another user cannot be removed, and does no harm.
    if (owner !== undefined && !isAlive(Number(owner)))
      await removeTempFolder(join(tmpdir(), entry)).catch(() => {})
  }
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
}

/** Removes the folder; an absent one is success. */
export function removeTempFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true })
}

/** Tells whether a process is there, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    // Signal 0 delivers nothing.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
