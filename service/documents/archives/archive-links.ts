import { Type } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { type Digest, digestPattern, type VersionRef } from '../../wire/names.ts'
import { DocumentError, versionNotFound } from '../document-error.ts'
import { archiveListKey } from '../document-key.ts'
import type { Keys } from '../listing/cursor.ts'
import { newUploadId } from '../staging.ts'
import { readJsonAt, writeJsonAt } from '../stored-json.ts'
import { createSealer } from '../ticket-signer.ts'

/** What a link says of itself. */
export interface ArchiveLink {
  /** Names the link in the audit log. */
  id: string
  tenant: string
  /** Subject of the token that asked for it. */
  subject: string
}

/**
 * Links that give an archive once, to anyone who has them: for browsers, which follow a link without a token
 * (ARCHITECTURE.md, "How an archive is sent").
 */
export interface ArchiveLinks {
  /**
   * Keeps the list of versions of one tenant, and returns a link to their archive, which is a credential.
   *
   * @param refs no version twice; that they are there was checked.
   */
  create(
    tenant: string,
    refs: readonly VersionRef[],
    options: { by: string },
  ): Promise<{ id: string; link: string; expiresAt: string }>

  /**
   * Returns what a link is for, without asking the store.
   *
   * @throws {DocumentError} `document_not_found` for one that was not made here, `link_expired`
   */
  open(link: string): Promise<ArchiveLink>

  /**
   * Returns the versions of a link that was not used yet.
   *
   * @returns also what uses it up: of several calls, on all replicas, one succeeds.
   * @throws {DocumentError} `link_expired` if it was used; so does `use`
   */
  read(link: ArchiveLink, signal?: AbortSignal): Promise<{ refs: VersionRef[]; use(): Promise<void> }>
}

const LinkClaims = Type.Object({ id: Type.String(), tenant: Type.String(), subject: Type.String() })

/** What is stored for a link. */
const ArchiveList = Type.Object({
  documents: Type.Array(
    Type.Object({
      type: Type.String(),
      name: Type.String(),
      digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
    }),
  ),
})

/** @param store under S3_PREFIX_DOCS. @param keys each at least 32 bytes: the first signs, all verify */
export function createArchiveLinks(store: ObjectStore, keys: Keys): ArchiveLinks {
  const sealer = createSealer(keys, { type: 'archive-link+jwt', claim: 'archive', schema: LinkClaims })

  return {
    async create(tenant, refs, { by: subject }) {
      const id = newUploadId()
      const documents = refs.map(({ type, name, digest }) => ({ type, name, digest }))
      await writeJsonAt(store, archiveListKey(tenant, id), { documents }, { condition: { absent: true } })
      const expiresAt = new Date(Date.now() + limits.archiveLinkSeconds * 1000)
      const link = await sealer.seal({ id, tenant, subject }, expiresAt)
      return { id, link, expiresAt: expiresAt.toISOString() }
    },

    async open(link) {
      const claims = await sealer.open(link)
      if (claims === 'expired') throw linkExpired()
      if (claims === 'invalid') throw versionNotFound()
      return claims
    },

    async read({ tenant, id }, signal) {
      const key = archiveListKey(tenant, id)
      const bytesMax = limits.archiveBodyBytesMax
      const list = await readJsonAt(store, key, { schema: ArchiveList, bytesMax, signal })
      if (!list?.value) throw linkExpired()
      const { etag } = list.object
      return {
        refs: list.value.documents.map((item) => ({ tenant, ...item })),
        async use() {
          // Without a list it is used, also if the deletion that follows is never made.
          const used = await writeJsonAt(store, key, {}, { condition: { etag } })
          if (!used) throw linkExpired()
          await store.delete(key).catch(() => {})
        },
      }
    },
  }
}

function linkExpired(): DocumentError {
  return new DocumentError('link_expired', 'This link was used already, or is too old. Ask for a new one.')
}
