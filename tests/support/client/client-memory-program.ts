/**
 * Uploads the file `clientInput.file` by ticket and prints what its memory had grown by at most, in bytes. Reads
 * `globalThis.clientInput`, prints one line of JSON.
 */
import { createDocumentsClient } from '../../../service/client/client.ts'

const { url, token, tenant, file } = (
  globalThis as unknown as { clientInput: Record<'url' | 'token' | 'tenant' | 'file', string> }
).clientInput

async function open(): Promise<Blob> {
  if (process.versions.bun) return Bun.file(file)
  const { openAsBlob } = await import('node:fs')
  return openAsBlob(file)
}

const source = await open()
const client = createDocumentsClient({ url, token, tenant })
const before = process.memoryUsage().rss
let most = before
const timer = setInterval(() => {
  most = Math.max(most, process.memoryUsage().rss)
}, 5)
const { via } = await client.put({ type: 'definitions', name: 'orders.json' }, source)
clearInterval(timer)
console.log(JSON.stringify({ via, size: source.size, grownBytes: most - before }))
