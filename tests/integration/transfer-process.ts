/**
 * One transfer with the service by a process of its own, so that its memory is not the service's. Arguments: a
 * JSON object of {@link Transfer}; the token comes in TRANSFER_TOKEN. Prints what the service answered.
 */
import { rawRequest } from './raw-http.ts'

export interface Transfer {
  method: 'PUT' | 'GET'
  origin: string
  path: string
  /** Bytes to send, or that are expected. */
  size: number
  /** Of an upload. */
  contentLength?: boolean
  reprDigest?: boolean
}

const blockBytes = 1024 * 1024

/** `size` bytes, block by block; every block begins with its number, so that none can be lost unseen. */
export function* generatedBlocks(size: number): Generator<Uint8Array<ArrayBuffer>> {
  const block = new Uint8Array(blockBytes).map((_, at) => (at * 31) % 251)
  const view = new DataView(block.buffer)
  for (let at = 0; at < size; at += blockBytes) {
    view.setUint32(0, at / blockBytes)
    yield block.subarray(0, Math.min(blockBytes, size - at))
  }
}

/** SHA-256 of {@link generatedBlocks}. */
export function generatedDigest(size: number, encoding: 'hex' | 'base64'): string {
  const hasher = new Bun.CryptoHasher('sha256')
  for (const block of generatedBlocks(size)) hasher.update(block)
  return hasher.digest(encoding)
}

async function put(transfer: Transfer, authorization: string): Promise<string> {
  const { origin, path, size } = transfer
  const headers: Record<string, string> = { authorization }
  if (transfer.contentLength) headers['content-length'] = String(size)
  else headers['transfer-encoding'] = 'chunked'
  if (transfer.reprDigest) headers['repr-digest'] = `sha-256=:${generatedDigest(size, 'base64')}:`
  const exchange = await rawRequest(origin, { method: 'PUT', path, headers })
  for (const block of generatedBlocks(size)) {
    await (transfer.contentLength ? exchange.send(block) : exchange.sendChunk(block))
  }
  if (!transfer.contentLength) await exchange.sendChunk()
  const { status, body } = await exchange.answer()
  return `${status} ${JSON.parse(body.toString()).digest}`
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
