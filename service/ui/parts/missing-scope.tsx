/** What somebody may not do, and which scope would let them. */
export function MissingScope({ what, scope }: { what: string; scope: string }) {
  return (
    <div className="note note-quiet">
      <p>
        You may not {what}: your sign-in lacks the scope <code>{scope}</code>. Ask whoever manages access.
      </p>
    </div>
  )
}
