import { describe, expect, it } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings, writeSettings } from '../../../../compose/stacks/compose-project.ts'
import { folderForTests } from '../../../support/folder.ts'

describe('the settings of a stack', () => {
  it('are read as they were written, whatever characters they have', async () => {
    const folder = await folderForTests('cloudlysis-settings-')
    const settings = {
      SECRETS_FOLDER: `/home/o'neil/"a b"/$HOME/\${HOME}`,
      PASSWORD: 'back\\slash\\n, a line\nand a tab\t\\',
      EMPTY: '',
    }
    await writeSettings(folder, settings)
    expect(await readSettings(folder)).toEqual(settings)
    expect((await readFile(join(folder, '.env'), 'utf8')).trimEnd().split('\n')).toHaveLength(3)
  })

  it('keep those of an earlier version when others are added', async () => {
    const folder = await folderForTests('cloudlysis-settings-')
    await writeFile(join(folder, '.env'), "MINIO_API_PORT='9000'\nFOLDER='/a\\b'\n")
    await writeSettings(folder, { LOKI_PORT: '3100' })
    expect(await readSettings(folder)).toEqual({ MINIO_API_PORT: '9000', FOLDER: '/a\\b', LOKI_PORT: '3100' })
  })
})
