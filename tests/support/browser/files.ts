import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { folderForTests } from '../folder.ts'

/** Files as an operator has them on disk, until the tests end. */
export interface FilesOnDisk {
  /** @returns its path. */
  write(name: string, bytes: Uint8Array): Promise<string>
}

export async function filesOnDisk(): Promise<FilesOnDisk> {
  const folder = await folderForTests('operator-files-')
  return {
    async write(name, bytes) {
      const path = join(folder, name)
      await writeFile(path, bytes)
      return path
    },
  }
}

/** By the button and the dialog of the operating system that it opens. */
export async function upload(page: Page, ...paths: string[]): Promise<void> {
  const opened = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Upload files' }).click()
  await (await opened).setFiles(paths)
}

/** As a file manager does: drags files over the middle of the window and lets them go there. */
export async function drop(page: Page, ...paths: string[]): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  const session = await page.context().newCDPSession(page)
  const copy = 1
  const at = { x: width / 2, y: height / 2, data: { items: [], files: paths, dragOperationsMask: copy } }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, ...at })
  }
  await session.detach()
}
