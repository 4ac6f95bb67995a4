/** A tag; the one that every upload moves looks quieter than those that people move. */
export function TagBadge({ tag }: { tag: string }) {
  return <span className={tag === 'latest' ? 'badge' : 'badge badge-strong'}>{tag}</span>
}
