/**
 * What a change asks of the tag that it moves (RFC 9110 sections 13.1.1 and 13.1.2). ETags are without quotes: that of
 * `latest` is the digest of its version for an upload, and the id of its last move like that of any tag for a move.
 */
export interface TagCondition {
  /** The tag must have one of these; `*`: it must be there. */
  ifMatch?: readonly string[] | '*' | undefined
  /** The tag must have none of these; `*`: it must not be there. */
  ifNoneMatch?: readonly string[] | '*' | undefined
}

/**
 * Returns whether a tag meets a condition.
 *
 * @param etag `undefined` for a tag that is not there.
 */
export function meets(etag: string | undefined, { ifMatch, ifNoneMatch }: TagCondition = {}): boolean {
  const names = (etags: readonly string[] | '*') =>
    etag !== undefined && (etags === '*' || etags.includes(etag))
  return (ifMatch === undefined || names(ifMatch)) && (ifNoneMatch === undefined || !names(ifNoneMatch))
}
