import { Database } from 'bun:sqlite'

const pollMilliseconds = 250

/**
 * Takes the lock file `path` unless another process, or another call in this one, holds it. The folder must exist;
 * the file stays behind, empty.
 *
 * It is SQLite's file lock: the kernel releases it when the holder dies, so there are no stale locks.
 *
 * @returns a function that releases it, or `null` if it is held elsewhere.
 */
export function tryLock(path: string): (() => void) | null {
  const database = new Database(path, { create: true })
  try {
    // Nothing is ever written, so a journal would be useless.
    database.run('PRAGMA journal_mode = OFF')
    database.run('BEGIN EXCLUSIVE')
    return () => database.close()
  } catch (error) {
    database.close()
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return null
    throw error
  }
}

/**
 * Runs `work` while holding the lock file `path` as {@link tryLock} does, waiting for it as long as it takes.
 *
 * @param onWait called once if the lock is held elsewhere.
 */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  let release = tryLock(path)
  if (release === null) onWait()
  while (release === null) {
    await Bun.sleep(pollMilliseconds)
    release = tryLock(path)
  }
  try {
    return await work()
  } finally {
    release()
  }
}
