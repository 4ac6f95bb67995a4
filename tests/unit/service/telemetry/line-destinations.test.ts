import { describe, expect, it } from 'bun:test'
import { readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { appendingTo } from '../../../../service/telemetry/line-destinations.ts'
import { folderForTests } from '../../../support/folder.ts'

const folder = await folderForTests('line-destinations-')
const source = join(import.meta.dir, '../../../../service/telemetry/line-destinations.ts')

describe('a file of lines', () => {
  it('is continued, not overwritten, and read by its group alone', () => {
    const path = join(folder, 'continued')
    appendingTo(path).write('one\n')
    appendingTo(path).write('two\n')
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
    expect(statSync(path).mode & 0o137).toBe(0)
  })

  it('loses no line when it is rotated by a rename', () => {
    const path = join(folder, 'rotated')
    const file = appendingTo(path)
    file.write('before\n')
    renameSync(path, `${path}.1`)
    file.write('after\n')
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['before\n', 'after\n'])
  })

  it('has whole lines of several processes, and all that were written before one is killed', async () => {
    const path = join(folder, 'shared')
    const program = (name: string) => `import { appendingTo } from ${JSON.stringify(source)}
      const file = appendingTo(${JSON.stringify(path)})
      for (let i = 0; i < 500; i += 1) file.write('${name}'.repeat(300) + i + '\\n')
      process.kill(process.pid, 'SIGKILL')`
    await Promise.all(['a', 'b'].map((name) => Bun.spawn([process.execPath, '-e', program(name)]).exited))
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const expected = ['a', 'b'].flatMap((name) => Array.from({ length: 500 }, (_, i) => name.repeat(300) + i))
    expect(lines.sort()).toEqual(expected.sort())
  })

  it('says that a disk is full, and does not continue a line that was torn by it', () => {
    const path = join(folder, 'full')
    const file = appendingTo(path)
    rmSync(path)
    symlinkSync('/dev/full', path)
    expect(() => file.write('lost\n')).toThrow('ENOSPC')
    rmSync(path)
    file.write('kept\n')
    file.write('more\n')
    expect(readFileSync(path, 'utf8')).toBe('\nkept\nmore\n')
  })

  it('is refused at once where it cannot be opened', () => {
    expect(() => appendingTo(join(folder, 'absent', 'file'))).toThrow('ENOENT')
    expect(() => appendingTo(folder)).toThrow('EISDIR')
  })
})
