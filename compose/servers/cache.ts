import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withLock } from './file-lock.ts'

/** Returns the folder of built servers: `${XDG_CACHE_HOME:-~/.cache}/cloudlysis` (XDG Base Directory, section 3). */
export function cacheFolder(): string {
  const base = Bun.env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'cloudlysis')
}

export interface CacheEntry {
  /** Name of the folder in the cache; must change with everything that determines its content. */
  key: string
  /** Fills the folder with this absolute path. It may throw: then nothing is kept. */
  make: (folder: string) => Promise<void>
  /** Called if another process is making it right now. */
  onWait: () => void
  /** Absolute path; default {@link cacheFolder}. */
  cache?: string | undefined
}

/**
 * Returns the absolute path of a cached folder, created on the first call. However many processes ask at once, one
 * creates it and the others wait; it is created aside and renamed into place, so that no one finds a partial one.
 */
export async function cached(entry: CacheEntry): Promise<string> {
  const cache = entry.cache ?? cacheFolder()
  const folder = join(cache, entry.key)
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  return withLock(`${folder}.lock`, entry.onWait, async () => {
    if (!existsSync(folder)) await makeAside(folder, `${folder}.${process.pid}`, entry.make)
    return folder
  })
}

/** True if {@link cached} has nothing to do. */
export function isCached(key: string): boolean {
  return existsSync(join(cacheFolder(), key))
}

async function makeAside(folder: string, aside: string, make: CacheEntry['make']): Promise<void> {
  try {
    await mkdir(aside, { recursive: true })
    await make(aside)
    await rename(aside, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
