import { describe, expect, it } from 'bun:test'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeCredentialsFile } from '../../../../compose/stacks/credentials-file.ts'

describe('writeCredentialsFile', () => {
  async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-credentials-'))
    try {
      return await use(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const keys = () => ({ accessKeyId: 'AKEXAMPLE', secretAccessKey: crypto.randomUUID() })

  it('writes the form of AWS for its owner alone, also over a file that others could read', async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, 's3-credentials'), 'before', { mode: 0o644 })
      const { accessKeyId, secretAccessKey } = keys()
      const path = await writeCredentialsFile(folder, { accessKeyId, secretAccessKey })
      expect(await Bun.file(path).text()).toBe(
        `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
      )
      expect((await stat(path)).mode & 0o777).toBe(0o600)
    })
  })

  it('refuses a key that not every reader of the file ends at the same place, and does not show it', async () => {
    await inFolder(async (folder) => {
      const secretAccessKey = `${crypto.randomUUID()}#more`
      const refusal = await writeCredentialsFile(folder, { ...keys(), secretAccessKey }).catch(String)
      expect(refusal).toContain('letters, digits')
      expect(refusal).not.toContain(secretAccessKey)
      expect(await Bun.file(join(folder, 's3-credentials')).exists()).toBeFalse()
    })
  })
})
