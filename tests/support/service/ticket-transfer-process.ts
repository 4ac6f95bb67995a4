/**
 * Makes one transfer with the store in a separate process, like a client. Reads a {@link StoreTransfer} as JSON
 * from standard input, since it holds a signed URL; prints the status of the store and the digest of what it read.
 */

import { rawRequest } from './raw-http.ts'
import { formAround, type Ticket } from './ticket-upload.ts'
import { generatedBlocks } from './transfer-process.ts'

export type StoreTransfer = { upload: Ticket; size: number } | { download: string }

async function upload(ticket: Ticket, size: number): Promise<string> {
  const { origin, pathname, search } = new URL(ticket.url)
  const form = ticket.method === 'POST' ? formAround(ticket.fields) : null
  const around = form ? form.before.length + form.after.length : 0
  const given = ticket.method === 'PUT' ? ticket.headers : { 'content-type': form?.contentType ?? '' }
  const exchange = await rawRequest(origin, {
    method: ticket.method,
    path: `${pathname}${search}`,
    headers: { ...given, 'content-length': String(size + around) },
  })
  if (form) await exchange.send(form.before)
  for (const block of generatedBlocks(size)) await exchange.send(block)
  if (form) await exchange.send(form.after)
  const { status, body } = await exchange.answer()
  return status < 300 ? `uploaded ${size}` : `${status} ${body}`
}

async function download(url: string): Promise<string> {
  const response = await fetch(url)
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const chunk of response.body ?? []) hasher.update(chunk)
  return `${response.status} sha256:${hasher.digest('hex')}`
}

if (import.meta.main) {
  const transfer = (await Bun.stdin.json()) as StoreTransfer
  const done = 'upload' in transfer ? upload(transfer.upload, transfer.size) : download(transfer.download)
  process.stdout.write(await done)
  process.exit(0)
}
