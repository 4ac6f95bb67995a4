/**
 * What the client is run with in other runtimes: one round trip over everything it does with bytes. Reads
 * `globalThis.clientInput`, prints one line of JSON.
 */
import { createDocumentsClient } from '../../../service/client/client.ts'
import { ProblemError } from '../../../service/client/errors.ts'

const { url, token, tenant } = (
  globalThis as unknown as { clientInput: Record<'url' | 'token' | 'tenant', string> }
).clientInput
const client = createDocumentsClient({ url, token, tenant })
const ref = { type: 'definitions', name: `runtime-${crypto.getRandomValues(new Uint32Array(1))[0]}.bin` }
const bytes = new Uint8Array(300_000).map((_, index) => index % 251)

function slowly(): ReadableStream<Uint8Array> {
  let position = 0
  return new ReadableStream({
    pull(controller) {
      if (position >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(position, position + 70_000))
      position += 70_000
    },
  })
}

const progress: number[] = []
const first = await client.put(ref, bytes)
const ofBlob = await client.put(ref, new Blob([bytes]), { onProgress: (sent) => progress.push(sent.bytes) })
const ofStream = await client.put(ref, slowly())
const read = await client.getBytes(ref)
const part = await client.getBytes(
  { ...ref, digest: first.document.digest },
  { range: { first: 5, last: 9 } },
)
// No Array.fromAsync: Node has it from 22 on.
const listed: boolean[] = []
for await (const { name } of client.list(ref)) listed.push(name === ref.name)
const direct = createDocumentsClient({ url, token, tenant, transfers: { ticketBytesMin: 1 } })
const large = new Blob([bytes, crypto.getRandomValues(new Uint8Array(10))])
const phases = new Set<string>()
const ticketed = await direct.put({ ...ref, name: `${ref.name}.2` }, large, {
  onProgress: ({ phase }) => void phases.add(phase),
})
const fromStore = await direct.get({ ...ref, name: `${ref.name}.2` }, { direct: true })
const readFromStore = await new Response(fromStore.stream).arrayBuffer()
const { type, digest } = first.document
const archived = await client.archive([{ type, name: ref.name, digest }])
const archive = await new Response(archived.stream).arrayBuffer()
const absent = await client.get({ ...ref, name: 'absent' }).catch((error: unknown) => error)

console.log(
  JSON.stringify({
    created: [first.created, ofBlob.created, ofStream.created],
    digests: [first, ofBlob, ofStream].map(({ document }) => document.digest),
    readBack: read.bytes.length === bytes.length && read.bytes.every((byte, index) => byte === bytes[index]),
    part: [...part.bytes],
    sentAtEnd: progress.at(-1),
    listed,
    ticketed: [ticketed.created, ticketed.via, [...phases].join(' ')],
    fromStore: [fromStore.via, readFromStore.byteLength],
    archived: archive.byteLength === archived.sizeBytes && archive.byteLength > bytes.length,
    absent: absent instanceof ProblemError ? absent.code : String(absent),
  }),
)
