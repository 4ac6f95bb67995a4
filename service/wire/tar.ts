/**
 * The tar format of POSIX (IEEE Std 1003.1-2024, utility `pax`, "ustar Interchange Format" and "pax Interchange Format"),
 * as far as archives of documents need it: plain files with ASCII paths. The bytes follow from path and size alone.
 */

const blockBytes = 512
/** Longest file name in a header, and longest folder before it. */
const nameCharsMax = 100
const prefixCharsMax = 155
/** Eleven octal digits. */
const sizeMax = 8 ** 11 - 1

/** 1980-01-01T00:00:00Z, for every file: when a version was stored is not a part of it. GNU tar warns of times before 1970. */
const modifiedAtSeconds = 315_532_800

/** What ends a tar: two blocks of zeros. */
export const tarEnd: Uint8Array<ArrayBuffer> = new Uint8Array(2 * blockBytes)

/** Bytes of the header of a file whose path and size need no pax header. */
export const plainHeaderBytes = blockBytes

/**
 * Returns what stands before the bytes of a file: its header, and before that a pax header where the path or the size
 * does not fit into it.
 *
 * @param path ASCII, with slashes
 * @param size bytes
 */
export function tarHeader(path: string, size: number): Uint8Array<ArrayBuffer> {
  const place = placeOf(path)
  const records = [
    ...(place ? [] : [paxRecord('path', path)]),
    ...(size > sizeMax ? [paxRecord('size', String(size))] : []),
  ].join('')
  // What reads no pax headers gets the beginning of the name.
  const header = headerBlock({ ...(place ?? cutPlace(path)), size: Math.min(size, sizeMax), type: '0' })
  if (records === '') return header
  const before = headerBlock({ prefix: '', name: 'pax-header', size: records.length, type: 'x' })
  return joined([before, asciiOf(records), tarPadding(records.length), header])
}

/** Returns the zeros that fill the last block of a file. */
export function tarPadding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes)
}

/** Returns the size that a header without a pax header names, `null` if it names none. */
export function sizeIn(header: Uint8Array): number | null {
  const digits = String.fromCharCode(...header.subarray(sizeAt, sizeAt + 11))
  return /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : null
}

/** Returns all the bytes in one piece. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

interface Place {
  prefix: string
  name: string
}

/** Returns the two fields of a header that hold a path, `null` if they are too short for it. */
function placeOf(path: string): Place | null {
  if (path.length <= nameCharsMax) return { prefix: '', name: path }
  const { prefix, name } = splitAtLastSlash(path)
  const fits = prefix !== '' && prefix.length <= prefixCharsMax && name.length <= nameCharsMax
  return fits ? { prefix, name } : null
}

function cutPlace(path: string): Place {
  const { prefix, name } = splitAtLastSlash(path)
  return { prefix: prefix.slice(0, prefixCharsMax), name: name.slice(0, nameCharsMax) }
}

function splitAtLastSlash(path: string): Place {
  const slash = path.lastIndexOf('/')
  return { prefix: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) }
}

/** `<length> <keyword>=<value>\n`, where the length counts its own digits. */
function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`
  let length = rest.length
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

const sizeAt = 124
const checksumAt = 148

function headerBlock({ prefix, name, size, type }: Place & { size: number; type: '0' | 'x' }) {
  const block = new Uint8Array(blockBytes)
  const write = (at: number, text: string) => block.set(asciiOf(text), at)
  write(0, name)
  write(100, octal(0o644, 7))
  // Owner and group 0: those who unpack it own the files, unless they are root.
  write(108, octal(0, 7))
  write(116, octal(0, 7))
  write(sizeAt, octal(size, 11))
  write(136, octal(modifiedAtSeconds, 11))
  write(156, type)
  write(257, 'ustar\u000000')
  write(345, prefix)
  // The sum is taken as if its own field held spaces.
  write(checksumAt, ' '.repeat(8))
  const sum = block.reduce((total, byte) => total + byte, 0)
  write(checksumAt, `${octal(sum, 6)}\u0000 `)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function asciiOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
