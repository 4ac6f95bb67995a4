import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { secretsIn, secretsInText } from './secret-search.ts'

const tarBlockBytes = 512

/** What a search of an image found, and what it read: a search that read nothing proves nothing. */
export interface ImageSearch {
  /** One line per secret: the place in the image, the line there, and the form, without the secret itself. */
  found: string[]
  /** Files of all layers, by path as `<layer>!<path>`. */
  files: string[]
  bytes: number
}

/**
 * Searches an image for everything that looks like a secret: each file of each layer and its name, also files that a later
 * layer hides, and all metadata (configuration with environment, labels and history, manifest). The image is read as
 * `docker save` writes it (Docker Image Specification, "Combined Image JSON + Filesystem Changeset
 * Format"; layers may be compressed), and is never in memory or on disk as a whole.
 *
 * @throws {Error} if the engine has no such image.
 */
export async function imageSecrets(image: string, env: DockerEnvironment): Promise<ImageSearch> {
  const child = Bun.spawn(['docker', 'save', image], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const search: ImageSearch = { found: [], files: [], bytes: 0 }
  const [, problem] = await Promise.all([
    searchTar(Readable.from(child.stdout), '', search),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(`no image to search: ${problem.trim()}`)
  return search
}

async function searchTar(
  tar: Readable,
  layer: string,
  search: ImageSearch,
  compressed = false,
): Promise<void> {
  const entries = extract()
  const reading = compressed ? pipeline(tar, createGunzip(), entries) : pipeline(tar, entries)
  for await (const entry of entries)
    await searchEntry(entry as AsyncIterable<Uint8Array>, entry.header, layer, search)
  await reading
}

async function searchEntry(
  entry: AsyncIterable<Uint8Array>,
  { name, linkname, type }: Header,
  layer: string,
  search: ImageSearch,
) {
  const [start, whole] = await peek(entry)
  if (layer === '' && isTar(start)) return searchTar(whole, name, search)
  if (layer === '' && isGzip(start)) return searchTar(whole, name, search, true)
  const inName = secretsInText(`${name}\n${linkname ?? ''}`)
  const shown = inName.length > 0 ? 'a file of such a name' : name
  const where = layer === '' ? shown : `${layer}!${shown}`
  if (layer !== '' && type === 'file') search.files.push(where)
  search.found.push(...inName.map(({ form }) => `${layer}, the name of a file: looks like ${form}`))
  for await (const { form, lineNumber } of secretsIn(counted(whole, search)))
    search.found.push(`${where}, line ${lineNumber}: looks like ${form}`)
}

async function* counted(stream: AsyncIterable<Uint8Array>, search: ImageSearch) {
  for await (const part of stream) {
    search.bytes += part.length
    yield part
  }
}

/** Returns the first bytes of a stream, enough to recognise its format, and a stream of all its bytes. */
async function peek(stream: AsyncIterable<Uint8Array>): Promise<[Buffer, Readable]> {
  const parts = stream[Symbol.asyncIterator]()
  let start = Buffer.alloc(0)
  while (start.length < tarBlockBytes) {
    const part = await parts.next()
    if (part.done) break
    start = Buffer.concat([start, part.value])
  }
  const all = async function* () {
    yield start
    for (let part = await parts.next(); !part.done; part = await parts.next()) yield part.value
  }
  return [start, Readable.from(all())]
}

/** Recognises the magic of POSIX.1-1988 tar in the header of the first entry. */
function isTar(start: Buffer): boolean {
  return start.toString('latin1', 257, 262) === 'ustar'
}

/** RFC 1952 section 2.3.1. */
function isGzip(start: Buffer): boolean {
  return start[0] === 0x1f && start[1] === 0x8b
}
