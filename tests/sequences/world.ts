import type { Digest } from '../../service/wire/names.ts'
import type { Facts, Operation } from '../support/model/history.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import type { Ticket } from '../support/service/ticket-upload.ts'
import { bytesOf } from '../support/stores/bodies.ts'
import { DocumentModel } from './document-model.ts'
import type { Content, Target } from './operations.ts'

/** A ticket of the sequence, and what has become of it. */
export interface HeldTicket {
  at: Target
  digest: Digest
  facts: Facts
  ticket: Ticket
  /** Whether its bytes lie in staging. */
  staged: boolean
  /** Whether a completion of it was acknowledged. */
  completed: boolean
}

/** What one sequence runs on: a type of its own, and the model of every document that it may touch. */
export interface World {
  /** No other sequence uses this type, so that every sequence begins with nothing. */
  type: string
  bytes: readonly Uint8Array<ArrayBuffer>[]
  digests: readonly Digest[]
  tickets: HeldTicket[]
  document(at: Pick<Target, 'tenant' | 'name'>): DocumentModel
  /** Applies an operation that succeeded to a document. */
  apply(at: Pick<Target, 'tenant' | 'name'>, operation: Operation): void
}

/** Creates a world in which nothing was uploaded yet. */
export function newWorld(type: string, contents: readonly Content[]): World {
  const bytes = contents.map(({ size, seed }) => sampleOf(size, seed))
  const documents = new Map<string, DocumentModel>()
  const world: World = {
    ...{ type, bytes, digests: bytes.map(digestOf), tickets: [] },
    document: ({ tenant, name }) => documents.get(`${tenant}/${name}`) ?? new DocumentModel(),
    apply: (at, operation) =>
      void documents.set(`${at.tenant}/${at.name}`, world.document(at).after(operation)),
  }
  return world
}

const samples = new Map<string, Uint8Array<ArrayBuffer>>()

/** Large bytes are slow to generate, and shrinking asks for the same ones again and again. */
function sampleOf(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const known = samples.get(`${size} ${seed}`)
  if (known) return known
  const bytes = bytesOf(size, seed) as Uint8Array<ArrayBuffer>
  if (samples.size > 100) samples.clear()
  samples.set(`${size} ${seed}`, bytes)
  return bytes
}
