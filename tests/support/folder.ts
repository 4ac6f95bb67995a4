import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopAtTheEnd } from './stop-at-the-end.ts'

/** Creates an empty folder, which is removed after the last test of this process. @param prefix such as `scrub-` */
export async function folderForTests(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix))
  stopAtTheEnd(() => rm(folder, { recursive: true, force: true }))
  return folder
}
