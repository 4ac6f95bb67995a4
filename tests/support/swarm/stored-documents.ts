import { expect } from 'bun:test'
import { createDocumentsClient, type DocumentsClient } from '../../../service/client/client.ts'
import { inParallel } from '../../../service/documents/in-order.ts'
import type { Digest } from '../../../service/wire/names.ts'
import { digestOf, KiB, MiB, randomDocument } from '../service/sample-documents.ts'
import type { SwarmScene } from './swarm-scene.ts'

export interface StoredVersion {
  type: string
  name: string
  digest: Digest
  size: number
}

export interface StoredTag {
  type: string
  name: string
  tag: string
  digest: Digest
}

/** Documents whose clients have received a success: they must find them wherever the service is. */
export interface StoredDocuments {
  client: DocumentsClient
  versions: readonly StoredVersion[]
  tags: ReadonlyMap<string, StoredTag>
  upload(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** What another way than `upload` has stored. */
  record(name: string, bytes: Uint8Array): void
  pointAt(name: string, tag: string, digest: Digest): Promise<void>
  /** What `latest` of a document that was uploaded has to lead to. */
  latestOf(name: string): Digest
  /** A few hundred documents, some with several versions, some empty, some of more than two parts. */
  fill(): Promise<void>
  /** Reads every document by its digest, every tag, and the listing, all through the service. */
  expectAll(): Promise<void>
}

/** Of all of them. */
export const contentType = 'text/x-snapshot'
export const type = 'snapshots'

/** Of tenant `acme`, by way of the proxy; nothing is there yet. */
export async function storedThrough(scene: SwarmScene): Promise<StoredDocuments> {
  // For longer than all of it takes.
  const token = await scene.issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600 })
  const client = createDocumentsClient({
    url: scene.url,
    tenant: 'acme',
    token,
    fetch: (url, init) => fetch(url, { ...init, tls: { ca: scene.ca } }),
  })
  const versions: StoredVersion[] = []
  const tags = new Map<string, StoredTag>()
  const stored: StoredDocuments = {
    client,
    versions,
    tags,
    async upload(name, bytes) {
      await client.put({ type, name }, bytes, { contentType })
      stored.record(name, bytes)
    },
    record(name, bytes) {
      const digest = digestOf(bytes)
      versions.push({ type, name, digest, size: bytes.length })
      tags.set(`${name} latest`, { type, name, tag: 'latest', digest })
    },
    async pointAt(name, tag, digest) {
      await client.putTag({ type, name }, tag, digest)
      tags.set(`${name} ${tag}`, { type, name, tag, digest })
    },
    latestOf(name) {
      const tag = tags.get(`${name} latest`)
      if (tag === undefined) throw new Error(`${name} was not uploaded`)
      return tag.digest
    },
    fill: () => fill(stored),
    expectAll: () => expectAll(stored),
  }
  return stored
}

async function fill({ upload, pointAt, latestOf }: StoredDocuments): Promise<void> {
  const names = Array.from({ length: 240 }, (_, at) => `snapshot-${at}`)
  await inParallel([...names.entries()], 8, async ([at, name]) => {
    await upload(name, randomDocument(at % 60 === 0 ? 0 : 1 + ((at * 977) % (40 * KiB))))
    if (at % 4 === 0) await upload(name, randomDocument(300 * KiB))
    if (at % 5 === 0) await pointAt(name, 'production', latestOf(name))
  })
  for (const name of ['large-1', 'large-2']) await upload(name, randomDocument(17 * MiB))
}

async function expectAll({ client, versions, tags }: StoredDocuments): Promise<void> {
  const read = await inParallel(versions, 8, async ({ name, digest }) => {
    const { version, bytes } = await client.getBytes({ type, name, digest })
    return { type, name, digest: digestOf(bytes), size: bytes.length, contentType: version.contentType }
  })
  expect(read).toEqual(versions.map((version) => ({ ...version, contentType })))
  const found = await inParallel([...tags.values()], 8, ({ name, tag }) => client.getTag({ type, name }, tag))
  expect(found).toMatchObject([...tags.values()])
  const listed = await Array.fromAsync(client.list())
  expect(listed.map(({ digest }) => digest).sort()).toEqual(versions.map(({ digest }) => digest).sort())
}
