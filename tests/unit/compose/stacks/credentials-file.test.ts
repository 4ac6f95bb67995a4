import { describe, expect, it } from 'bun:test'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeCredentialsFile } from '../../../../compose/stacks/credentials-file.ts'
import { folderForTests } from '../../../support/folder.ts'

describe('writeCredentialsFile', () => {
  const keys = () => ({ accessKeyId: 'AKEXAMPLE', secretAccessKey: crypto.randomUUID() })

  it('writes the form of AWS for its owner alone, also over a file that others could read', async () => {
    const folder = await folderForTests('cloudlysis-credentials-')
    await writeFile(join(folder, 's3-credentials'), 'before', { mode: 0o644 })
    const { accessKeyId, secretAccessKey } = keys()
    const path = await writeCredentialsFile(folder, { accessKeyId, secretAccessKey })
    expect(await Bun.file(path).text()).toBe(
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    )
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('refuses a key that not every reader of the file ends at the same place, and does not show it', async () => {
    const folder = await folderForTests('cloudlysis-credentials-')
    const secretAccessKey = `${crypto.randomUUID()}#more`
    const refusal = await writeCredentialsFile(folder, { ...keys(), secretAccessKey }).catch(String)
    expect(refusal).toContain('letters, digits')
    expect(refusal).not.toContain(secretAccessKey)
    expect(await Bun.file(join(folder, 's3-credentials')).exists()).toBeFalse()
  })
})
