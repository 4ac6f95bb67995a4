import { describe, expect, it } from 'bun:test'
import { extract, type Header } from 'tar-stream'
import {
  joined,
  plainHeaderBytes,
  sizeIn,
  tarEnd,
  tarHeader,
  tarPadding,
} from '../../../../service/wire/tar.ts'

/** What a reader of tars that is not ours sees of a file with that path and these bytes. */
async function readBack(path: string, bytes: Uint8Array): Promise<{ header: Header; content: Buffer }> {
  const tar = extract()
  tar.end(joined([tarHeader(path, bytes.byteLength), bytes, tarPadding(bytes.byteLength), tarEnd]))
  for await (const entry of tar) {
    const content = Buffer.concat((await Array.fromAsync(entry)) as Uint8Array[])
    return { header: entry.header, content }
  }
  throw new Error('the tar is empty')
}

/** The header of a file of that size, which has no bytes. */
function headerOf(path: string, size: number): Promise<Header> {
  return new Promise((resolve, reject) => {
    const tar = extract()
    tar.on('entry', (header) => resolve(header))
    tar.on('error', reject)
    tar.write(tarHeader(path, size))
  })
}

describe('the header of a file in a tar', () => {
  it('says the path, the size, and what is the same for all files', async () => {
    const { header, content } = await readBack('definitions/orders.json', Buffer.from('bytes'))
    expect(header).toMatchObject({
      ...{ name: 'definitions/orders.json', size: 5, type: 'file', mode: 0o644, uid: 0, gid: 0 },
      ...{ mtime: new Date('1980-01-01T00:00:00Z'), linkname: null, uname: '', gname: '' },
    })
    expect(String(content)).toBe('bytes')
  })

  it('is one block as long as the path fits into it, and otherwise has a pax header before it', async () => {
    const [folder, folderTooLong] = ['f'.repeat(155), 'f'.repeat(156)]
    const lengths = [
      ['n'.repeat(100), 512],
      ['n'.repeat(101), 1536],
      [`${folder}/${'n'.repeat(100)}`, 512],
      [`${folder}/${'n'.repeat(101)}`, 1536],
      [`${folderTooLong}/n`, 1536],
    ] as const
    for (const [path, bytes] of lengths) {
      expect([path, tarHeader(path, 1).byteLength]).toEqual([path, bytes])
      expect((await readBack(path, Buffer.from('b'))).header).toMatchObject({ name: path, size: 1 })
    }
  })

  it('has paths of every length, also where the length of a record grows by a digit of its own', async () => {
    for (let chars = 60; chars < 260; chars += 1) {
      const path = `d/${'n'.repeat(chars)}`
      expect((await headerOf(path, 7)).name).toBe(path)
    }
    const long = `d/${'n'.repeat(980)}`
    for (let more = 0; more < 30; more += 1) {
      const path = `${long}${'n'.repeat(more)}`
      expect((await headerOf(path, 7)).name).toBe(path)
    }
  })

  it('says sizes beyond eleven octal digits, too', async () => {
    for (const size of [8 ** 11 - 1, 8 ** 11, 2 ** 43]) expect((await headerOf('a/b', size)).size).toBe(size)
  })
})

describe('sizeIn', () => {
  it('reads the size back, and nothing from what is no header', () => {
    const header = tarHeader('manifest.json', 1234)
    expect(header.byteLength).toBe(plainHeaderBytes)
    expect(sizeIn(header)).toBe(1234)
    expect(sizeIn(new Uint8Array(512))).toBeNull()
    expect(sizeIn(new Uint8Array(3))).toBeNull()
  })
})

describe('tarPadding', () => {
  it('fills the last block with zeros', () => {
    const lengths = [0, 1, 511, 512, 513].map((size) => tarPadding(size).byteLength)
    expect(lengths).toEqual([0, 511, 1, 0, 511])
  })
})
