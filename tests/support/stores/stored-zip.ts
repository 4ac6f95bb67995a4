/**
 * A ZIP archive of small text files, uncompressed and without times.
 *
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central header), 4.3.16 (its end).
 */
export function storedZip(files: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [path, text] of Object.entries(files)) {
    const name = Buffer.from(path)
    const content = Buffer.from(text)
    const crc = Bun.hash.crc32(content)
    const sizes = u32(crc, content.length, content.length)
    // Version 2.0, no flags, stored, no time, 1 January 1980.
    const common = Buffer.concat([u16(20, 0, 0, 0, 0x21), sizes, u16(name.length, 0)])
    const local = Buffer.concat([u32(0x04034b50), common, name, content])
    centrals.push(Buffer.concat([u32(0x02014b50), u16(20), common, u16(0, 0, 0), u32(0), u32(offset), name]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const { length } = centrals
  const end = [u32(0x06054b50), u16(0, 0, length, length), u32(directory.length, offset), u16(0)]
  return Buffer.concat([...locals, directory, ...end])
}

function u16(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from(Uint16Array.of(value).buffer)))
}

function u32(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from(Uint32Array.of(value).buffer)))
}
