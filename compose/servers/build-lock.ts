import { Database } from 'bun:sqlite'

const pollMilliseconds = 250

/**
 * Runs `work` while no other process (nor another call in this one) holds the lock file `path`, waiting as
 * long as it takes. The folder must exist; the file stays behind, empty.
 *
 * It is SQLite's file lock: the kernel lets go of it when the holder dies, so there are no stale locks.
 *
 * @param onWait called once if somebody else holds the lock.
 */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const database = new Database(path, { create: true })
  try {
    if (!tryLock(database)) {
      onWait()
      while (!tryLock(database)) await Bun.sleep(pollMilliseconds)
    }
    return await work()
  } finally {
    database.close()
  }
}

function tryLock(database: Database): boolean {
  try {
    database.run('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return false
    throw error
  }
}
