import { useQueryClient } from '@tanstack/react-query'
import { type RefObject, useEffect, useState } from 'react'
import { ProblemError } from '../../client/errors.ts'
import type { Tag } from '../../wire/answers.ts'
import { latestTag } from '../../wire/names.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import type { TagMove } from '../document/tag-moved.tsx'
import { reloadTags } from '../document/use-tags.ts'
import { distrustListings } from '../listing/use-listing.ts'
import { announce } from '../parts/announcer.tsx'
import { shortDigest } from '../parts/digest.tsx'
import { usePermissions } from '../session/use-session.ts'
import { rowId } from './rollout-table.tsx'
import { putTagsInRollout, type RolloutScope } from './use-rollout.ts'

/** The move that is asked about, the one that was made last, and what they change in what was read. */
export function useMoves(scope: RolloutScope, status: RefObject<HTMLElement | null>) {
  const queries = useQueryClient()
  const call = useDocumentsCall()
  const { write } = usePermissions()
  const [moving, setMoving] = useState<string | null>(null)
  const [moved, setMoved] = useState<TagMove | null>(null)
  const [left, setLeft] = useState<{ name: string } | null>(null)
  const { tenant, type } = scope
  useEffect(() => {
    // The button that was pressed is gone where the tags are at one version now; with its row, if only others are shown.
    if (left !== null) (document.getElementById(rowId(left.name)) ?? status.current)?.focus()
  }, [left, status])
  const readTags = async (name: string): Promise<Tag[]> => {
    try {
      return await call(tenant, (documents) => documents.tags({ type, name }))
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'document_not_found') return []
      throw error
    }
  }
  return {
    moving,
    moved,
    begin: write
      ? (name: string) => {
          setMoved(null)
          setMoving(name)
        }
      : undefined,
    cancel: () => setMoving(null),
    dismiss: () => setMoved(null),
    done(move: TagMove) {
      const { name, tag, digest } = move.tag
      setMoving(null)
      setMoved(move)
      setLeft({ name })
      announce(`${tag} of ${name} is on ${shortDigest(digest)} now`)
      putTagsInRollout(queries, scope, name, (tags) => [...tags.filter((one) => one.tag !== tag), move.tag])
      void reloadTags(queries, move.tag)
      if (tag === latestTag) distrustListings(queries, move.tag)
    },
    /** Reads the tags of one document again. What cannot be read stays as it was: the refusal is shown already. */
    async reread(name: string) {
      const tags = await readTags(name).catch(() => null)
      if (tags !== null) putTagsInRollout(queries, scope, name, () => tags)
    },
  }
}
