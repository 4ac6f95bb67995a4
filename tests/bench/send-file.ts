/**
 * A load of large uploads, as a process of its own. Reads its plan from SEND_PLAN, since addresses and headers
 * are credentials; prints the seconds that all uploads together took, and nothing else.
 */

interface Plan {
  urls: string[]
  file: string
  connections: number
  headers: Record<string, string>
}

const { urls, file, connections, headers }: Plan = JSON.parse(process.env.SEND_PLAN ?? '')
// In memory, so that both sides get the bytes at the same pace.
const bytes = await Bun.file(file).bytes()
const started = performance.now()
const waiting = urls.values()
await Promise.all(Array.from({ length: connections }, send))
process.stdout.write(`${(performance.now() - started) / 1000}\n`)

async function send(): Promise<void> {
  for (const url of waiting) {
    const response = await fetch(url, { method: 'PUT', body: bytes, headers })
    const text = await response.text()
    if (!response.ok) throw new Error(`an upload was answered with ${response.status}: ${text.slice(0, 500)}`)
  }
}
