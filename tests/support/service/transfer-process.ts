/**
 * Makes one transfer with the service in a separate process, so that its memory is not that of the service. Its argument is
 * a {@link Transfer} in JSON, the token is in TRANSFER_TOKEN. Prints the answer of the service.
 */
import type { Digest } from '../../../service/wire/names.ts'
import { rawRequest } from './raw-http.ts'

/** What to transfer. */
export interface Transfer {
  method: 'PUT' | 'GET'
  origin: string
  path: string
  /** Number of bytes to send, or to expect. */
  size: number
  /** Of an upload: whether it declares its length; otherwise it is sent in chunks. */
  contentLength?: boolean | undefined
  /** Of an upload: `sha256:<hex>` of the bytes, for Repr-Digest; default: no such header. */
  declared?: Digest | undefined
}

const blockBytes = 1024 * 1024

/** Yields `size` bytes in blocks; each begins with its number, so that a lost one changes the digest. */
export function* generatedBlocks(size: number): Generator<Uint8Array<ArrayBuffer>> {
  const block = new Uint8Array(blockBytes).map((_, at) => (at * 31) % 251)
  const view = new DataView(block.buffer)
  for (let at = 0; at < size; at += blockBytes) {
    view.setUint32(0, at / blockBytes)
    yield block.subarray(0, Math.min(blockBytes, size - at))
  }
}

const digests = new Map<number, Digest>()

/** Returns the digest of {@link generatedBlocks}; a GiB takes a second, the first time. */
export function generatedDigest(size: number): Digest {
  const known = digests.get(size)
  if (known !== undefined) return known
  const hasher = new Bun.CryptoHasher('sha256')
  for (const block of generatedBlocks(size)) hasher.update(block)
  const digest = `sha256:${hasher.digest('hex')}` as const
  digests.set(size, digest)
  return digest
}

async function put(transfer: Transfer, authorization: string): Promise<string> {
  const { origin, path, size } = transfer
  const headers: Record<string, string> = { authorization }
  if (transfer.contentLength) headers['content-length'] = String(size)
  else headers['transfer-encoding'] = 'chunked'
  if (transfer.declared) headers['repr-digest'] = reprDigestHeader(transfer.declared)
  const exchange = await rawRequest(origin, { method: 'PUT', path, headers })
  for (const block of generatedBlocks(size)) {
    await (transfer.contentLength ? exchange.send(block) : exchange.sendChunk(block))
  }
  if (!transfer.contentLength) await exchange.sendChunk()
  const { status, body } = await exchange.answer()
  return `${status} ${JSON.parse(body.toString()).digest}`
}

function reprDigestHeader(digest: Digest): string {
  return `sha-256=:${Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')}:`
}

async function get({ origin, path }: Transfer, authorization: string): Promise<string> {
  const response = await fetch(`${origin}${path}`, { headers: { authorization } })
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const chunk of response.body ?? []) hasher.update(chunk)
  return `${response.status} sha256:${hasher.digest('hex')}`
}

if (import.meta.main) {
  const transfer = JSON.parse(process.argv[2] ?? '') as Transfer
  const authorization = `Bearer ${process.env.TRANSFER_TOKEN}`
  const answer = transfer.method === 'PUT' ? put(transfer, authorization) : get(transfer, authorization)
  process.stdout.write(await answer)
  process.exit(0)
}
