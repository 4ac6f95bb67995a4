import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../limits.ts'
import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { leaseKey } from './document-key.ts'
import { newChangeId } from './document-record.ts'
import { readJsonAt, writeJsonAt } from './stored-json.ts'

/** What is stored under the key of a lease. */
const LeaseText = Type.Object({
  /** Names the attempt that holds the lease; `null` for one that was given back. */
  holder: Type.Union([Type.String(), Type.Null()]),
  /** Id of the deletion of the version that the record noted when the first attempt began; `null` for none. */
  deletion: Type.Union([Type.String(), Type.Null()]),
  /** True if it was given back by an attempt that cannot have published anything. */
  clean: Type.Optional(Type.Boolean()),
  /** How the completion ended, for as long as its ticket could be shown again. */
  outcome: Type.Optional(Type.Union([Type.Literal('published'), Type.Literal('deleted')])),
})
type LeaseText = Static<typeof LeaseText>

/** How a completion ended: `deleted` if the version was deleted before it was acknowledged. */
export type Outcome = NonNullable<LeaseText['outcome']>

/** The right to complete an upload, held by one attempt on one replica; renewed until it is finished or given back. */
export interface Lease {
  /** The deletion of the version that was noted when the first attempt that may have published bytes began. */
  deletion: string | null
  /** Returns whether the store still says that this attempt holds it. */
  isHeld(): Promise<boolean>
  /** Notes how the completion ended. The lease is not held any more. */
  finish(outcome: Outcome): Promise<void>
  /** Gives the lease back. @param clean true if this attempt cannot have published anything. */
  giveBack(clean: boolean): Promise<void>
}

/**
 * The leases of completions (ARCHITECTURE.md, "How a ticket upload runs"): they keep replicas from doing the same work
 * twice. What keeps it from counting twice is the record.
 */
export interface Leases {
  /**
   * Takes the lease of an upload, also from an attempt that has not renewed it for `limits.leaseSilenceSeconds` by the
   * store's clock.
   *
   * @param deletion id of the deletion of the version that the record notes now, `null` for none.
   * @returns the lease, or how the upload was completed before, or `null` while another attempt holds it.
   */
  take(upload: LeasedUpload, deletion: string | null): Promise<Lease | Outcome | null>
}

export interface LeasedUpload {
  tenant: string
  /** Of the upload. */
  id: string
}

interface Stored {
  etag: string
  text: LeaseText
  info: ObjectInfo
}

/** @param store under S3_PREFIX_DOCS. */
export function createLeases(store: ObjectStore): Leases {
  async function read(key: string): Promise<Stored | null> {
    const stored = await readJsonAt(store, key, { schema: LeaseText, bytesMax: limits.leaseBytesMax })
    if (!stored) return null
    const { object, value } = stored
    // Nothing but this service writes here: what cannot be read is a lease that anyone may take.
    return { etag: object.etag, text: value ?? { holder: null, deletion: null, clean: true }, info: object }
  }

  async function write(key: string, text: LeaseText, etag: string | null): Promise<string | null> {
    const stored = await writeJsonAt(store, key, text, {
      // Renewals have the same text; their ETags must differ all the same.
      metadata: { write: newChangeId() },
      condition: etag === null ? { absent: true } : { etag },
    })
    return stored?.etag ?? null
  }

  /** Keeps a lease that was just written. */
  function hold(key: string, text: LeaseText, written: string): Lease {
    let etag: string | null = written
    /** One write at a time: each needs the ETag of the one before. */
    let last: Promise<unknown> = Promise.resolve()
    const next = (changed: LeaseText) => {
      last = last.then(async () => {
        if (etag !== null) etag = await write(key, changed, etag)
      })
      return last as Promise<void>
    }
    // A renewal that fails is repeated by the next one, as long as the silence is not too long.
    const renewing = setInterval(() => next(text).catch(() => {}), limits.leaseRenewSeconds * 1000)
    renewing.unref()
    return {
      deletion: text.deletion,
      isHeld: async () => (await read(key))?.text.holder === text.holder,
      async finish(outcome) {
        clearInterval(renewing)
        await next({ ...text, outcome })
      },
      async giveBack(clean) {
        clearInterval(renewing)
        await next({ holder: null, deletion: text.deletion, clean }).catch(() => {})
      },
    }
  }

  /** A holder that is silent is taken to have ended. */
  async function isSilent({ info }: Stored): Promise<boolean> {
    const now = await store.clock()
    return now.getTime() - info.lastModified.getTime() > limits.leaseSilenceSeconds * 1000
  }

  return {
    async take({ tenant, id }, deletion) {
      const key = leaseKey(tenant, id)
      const fresh = { holder: newChangeId(), deletion }
      const created = await write(key, fresh, null)
      if (created) return hold(key, fresh, created)
      const stored = await read(key)
      if (!stored) return null
      const { text, etag } = stored
      if (text.outcome) return text.outcome
      if (text.holder !== null && !(await isSilent(stored))) return null
      // An attempt that ended half-way may have published its bytes: what was deleted since stays deleted.
      const taken = text.clean ? fresh : { ...fresh, deletion: text.deletion }
      const written = await write(key, taken, etag)
      return written ? hold(key, taken, written) : null
    },
  }
}
