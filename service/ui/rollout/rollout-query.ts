import { latestTag } from '../../wire/names.ts'
import { hasForm } from '../routes.ts'

/** What of a rollout is in its address: `?prefix=…&tags=production,latest&from=latest&to=production&differing=1`. */
export interface RolloutQuery {
  /** Names that begin so are read, the others not. */
  prefix: string
  /** The columns: at least two. */
  tags: readonly string[]
  /** The tag that the other one is compared with, and whose version it can be moved to. */
  from: string
  to: string
  /** Whether only documents are shown in which the two tags are not on the same version. */
  differing: boolean
}

/** A table with more does not fit on a screen. */
export const columnsMax = 6
export const columnsMin = 2

const defaultTags = ['production', 'staging', latestTag] as const

/** Reads the query of a rollout from `location.search`; what is unknown or malformed is ignored. */
export function rolloutQueryOf(search: string): RolloutQuery {
  const parameters = new URLSearchParams(search)
  const given = (parameters.get('tags') ?? '').split(',').filter((tag) => hasForm('tag', tag))
  const chosen = [...new Set(given)].slice(0, columnsMax)
  return withPair({
    prefix: parameters.get('prefix') ?? '',
    tags: chosen.length < columnsMin ? defaultTags : chosen,
    from: parameters.get('from') ?? '',
    to: parameters.get('to') ?? '',
    differing: parameters.get('differing') === '1',
  })
}

/** Returns `location.search` for a query, with its question mark; empty for the defaults. */
export function rolloutSearch(query: RolloutQuery): string {
  const { prefix, tags, from, to, differing } = withPair(query)
  const usual = withPair({ ...query, tags, from: '', to: '' })
  const parameters = new URLSearchParams()
  if (prefix !== '') parameters.set('prefix', prefix)
  if (tags.join() !== defaultTags.join()) parameters.set('tags', tags.join())
  if (from !== usual.from || to !== usual.to) {
    parameters.set('from', from)
    parameters.set('to', to)
  }
  if (differing) parameters.set('differing', '1')
  // A comma needs no escape in a query (RFC 3986 section 3.4), and is easier to read.
  return parameters.size === 0 ? '' : `?${`${parameters}`.replaceAll('%2C', ',')}`
}

/** Returns the query with two different tags of its columns to compare: by default the second with the first. */
function withPair(query: RolloutQuery): RolloutQuery {
  const { tags } = query
  const to = tags.includes(query.to) ? query.to : (tags.find((tag) => tag !== query.from) ?? '')
  const from =
    tags.includes(query.from) && query.from !== to ? query.from : (tags.find((tag) => tag !== to) ?? '')
  return { ...query, from, to }
}
