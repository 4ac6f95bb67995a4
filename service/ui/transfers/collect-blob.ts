/** What is gathered in memory before it becomes a Blob, which a browser may keep on the disk. */
const partBytesMax = 8 * 1024 * 1024

/**
 * Reads a stream into a Blob without a type that a browser would open.
 *
 * @throws what the stream errs with; nothing of it is given out then
 */
export async function collectBlob(stream: ReadableStream<Uint8Array>): Promise<Blob> {
  const reader = stream.getReader()
  const parts: Blob[] = []
  let chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    bytes += value.length
    if (bytes < partBytesMax) continue
    parts.push(new Blob(chunks as BlobPart[]))
    chunks = []
    bytes = 0
  }
  return new Blob([...parts, ...(chunks as BlobPart[])], { type: 'application/octet-stream' })
}
