import { createDocuments } from '../../service/documents/create-documents.ts'
import { DocumentError } from '../../service/documents/document-error.ts'
import { sweep } from '../../service/documents/maintenance/sweeper.ts'
import { createRecords } from '../../service/documents/record-store.ts'
import type { TagCondition } from '../../service/documents/tag-condition.ts'
import { createVersionRemoval } from '../../service/documents/version-removal.ts'
import { limits } from '../../service/limits.ts'
import { type ObjectStore, ObjectStoreError } from '../../service/object-store/object-store.ts'
import type { StoreCapabilities } from '../../service/object-store/store-capabilities.ts'
import type { Document, StoredVersion } from '../../service/wire/answers.ts'
import { latestTag, type VersionRef } from '../../service/wire/names.ts'
import type { AtRest } from '../support/model/at-rest.ts'
import {
  type Facts,
  type LatestCondition,
  type Operation,
  type Result,
  resultOfProblem,
} from '../support/model/history.ts'
import { streamOf } from '../support/stores/bodies.ts'
import { ownerOf } from './plan.ts'
import { labelOf, sampleOf } from './samples.ts'

/** The document that all operations are about. */
export const ref = { tenant: 'acme', type: 'snapshots', name: 'orders.bin' }

const contentType = 'text/plain'
const traceId = '0'.repeat(32)

/** A ticket, and the number under which its bytes are staged. */
export interface IssuedTicket {
  id: string
  ticket: string
}

/** One process of the service. */
export interface Replica {
  /**
   * Does what an operation asks for.
   *
   * @returns `null` if the answer leaves open whether it was done.
   * @throws {Error} for failures that no client should ever see.
   */
  run(operation: Operation, by: string, tickets: ReadonlyMap<string, IssuedTicket>): Promise<Result | null>
  /** Issues a ticket for a version that is absent, and stages its bytes. */
  issue(name: string, label: string): Promise<IssuedTicket>
  /** Returns what a client can read once nothing is under way any more. */
  atRest(labels: readonly string[], tags: readonly string[]): Promise<AtRest>
}

export interface ReplicaOptions {
  capabilities: StoreCapabilities
  sleep: (milliseconds: number) => Promise<void>
  /** Receives each version that the sweeper finds gone although its record counts it. */
  onLost: (ref: VersionRef) => void
}

/** Creates a process of the service on a store. */
export function createReplica(store: ObjectStore, { capabilities, sleep, onLost }: ReplicaOptions): Replica {
  const { documents, transfers } = createDocuments({
    store,
    documentBytesMax: 2 * limits.replayableBytesMax,
    sleep,
    cursorKeys: [new Uint8Array(32)],
    ticketKeys: [new Uint8Array(32)],
    archiveLinkKeys: [new Uint8Array(32)],
    capabilities: () => capabilities,
    signer: {
      postForm: async () => ({ url: 'https://store.test/', fields: {} }),
      put: async () => ({ url: 'https://store.test/', headers: {} }),
      get: async () => 'https://store.test/',
    },
    onIntegrityViolation() {},
  })
  const records = createRecords(store, { sleep })
  const removal = createVersionRemoval({ store, records, sleep })

  async function done(
    operation: Operation,
    by: string,
    tickets: ReadonlyMap<string, IssuedTicket>,
  ): Promise<Result | null> {
    switch (operation.kind) {
      case 'upload': {
        const signal = new AbortController().signal
        const { bytes, digest } = sampleOf(operation.digest)
        const facts = { contentType, by, admittedAt: new Date(), traceId }
        const condition = conditionOf(operation.ifLatest)
        const upload = { body: streamOf(bytes), size: bytes.length, digest, ...facts, condition, signal }
        return acceptedResult(await documents.put(ref, upload))
      }
      case 'ticket': {
        const request = {
          digest: sampleOf(operation.digest).digest,
          size: sampleOf(operation.digest).bytes.length,
          contentType,
          by,
          admittedAt: new Date(),
          traceId,
        }
        const answer = await transfers.createUpload(ref, request)
        return 'published' in answer
          ? acceptedResult({ document: answer.published, created: false })
          : { code: 'issued' }
      }
      case 'complete': {
        const issued = tickets.get(operation.ticket) as IssuedTicket
        const completion = { ticket: issued.ticket, by: ownerOf(operation.ticket), traceId }
        const accepted = await transfers.completeUpload(ref, issued.id, completion)
        return accepted && acceptedResult(accepted)
      }
      case 'delete':
        await documents.deleteVersion({ ...ref, digest: sampleOf(operation.digest).digest }, { by })
        return { code: 'ok' }
      case 'retain':
        await removal.remove({ ...ref, digest: sampleOf(operation.digest).digest }, { by, keepLatest: true })
        return { code: 'ok' }
      case 'moveTag': {
        const { ifMatch, ifAbsent, digest } = operation
        const { tag, before } = await documents.putTag(ref, operation.tag, {
          digest: sampleOf(digest).digest,
          by,
          condition: { ifMatch, ifNoneMatch: ifAbsent ? '*' : undefined },
        })
        return { code: 'ok', created: before === undefined, etag: tag.etag }
      }
      case 'removeTag':
        await documents.deleteTag(ref, operation.tag, { condition: { ifMatch: operation.ifMatch } })
        return { code: 'ok' }
      case 'readTag': {
        const { digest, etag } = await documents.getTag(ref, operation.tag)
        return { code: 'ok', digest: labelOf(digest), etag }
      }
      case 'readByTag': {
        const version = await documents.byTag(ref, operation.tag, (found) => documents.head(found))
        return { code: 'ok', digest: labelOf(version.digest), facts: factsOf(version) }
      }
      case 'read': {
        const version = await documents.head({ ...ref, digest: sampleOf(operation.digest).digest })
        return { code: 'ok', facts: factsOf(version) }
      }
      default:
        await sweep(store, { sleep, onLost })
        return { code: 'ok' }
    }
  }

  return {
    async run(operation, by, tickets) {
      try {
        return await done(operation, by, tickets)
      } catch (error) {
        if (error instanceof ObjectStoreError) return null
        if (error instanceof DocumentError) return resultOfProblem(error.code)
        throw error
      }
    },

    async issue(name, label) {
      const { bytes, digest } = sampleOf(label)
      const request = {
        digest,
        size: bytes.length,
        contentType,
        by: ownerOf(name),
        admittedAt: new Date(),
        traceId,
      }
      const answer = await transfers.createUpload(ref, request)
      if (!('ticket' in answer)) throw new Error(`${label} is there already`)
      const { id, ticket } = answer.ticket
      await store.put(`staging/acme/${id}`, bytes, { size: bytes.length, contentType })
      return { id, ticket }
    },

    async atRest(labels, tags) {
      const versions: AtRest['versions'] = {}
      const found: AtRest['tags'] = {}
      for (const label of labels) {
        const version = await unlessAbsent(documents.open({ ...ref, digest: sampleOf(label).digest }))
        const bytes =
          version && new Uint8Array(await new Response(version.body as Uint8Array<ArrayBuffer>).arrayBuffer())
        const isIntact = bytes !== null && Bun.deepEquals(bytes, sampleOf(label).bytes)
        Object.assign(versions, {
          [label]: version && { facts: factsOf(version), bytes: isIntact ? 'intact' : 'damaged' },
        })
      }
      for (const name of tags) {
        const tag = await unlessAbsent(documents.getTag(ref, name))
        Object.assign(found, { [name]: tag && { digest: labelOf(tag.digest), etag: tag.etag } })
      }
      const tagged: Record<string, string[]> = {}
      for (const tag of tags.filter((each) => each !== latestTag)) {
        const { documents: rows } = await documents.tagged({ ...ref, tag, limit: limits.taggedLimitMax })
        tagged[tag] = rows.map(({ digest }) => labelOf(digest))
      }
      const { documents: listed } = await documents.list({ ...ref, limit: 1000 })
      return { versions, tags: found, tagged, listed: listed.map(({ digest }) => labelOf(digest)) }
    },
  }
}

function conditionOf(ifLatest: LatestCondition | undefined): TagCondition | undefined {
  if (ifLatest === undefined) return undefined
  if (ifLatest === 'absent') return { ifNoneMatch: '*' }
  return { ifMatch: ifLatest.map((label) => sampleOf(label).digest) }
}

function acceptedResult({ document, created }: { document: Document; created: boolean }): Result {
  return { code: 'ok', created, facts: factsOf(document), tags: document.tags }
}

function factsOf({ size, contentType: type, createdBy }: StoredVersion): Facts {
  return { size, contentType: type, createdBy }
}

async function unlessAbsent<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof DocumentError && error.code === 'document_not_found') return null
    throw error
  }
}
