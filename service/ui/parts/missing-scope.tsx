/** Says what the person may not do, and which scope it takes. */
export function MissingScope({ what, scope }: { what: string; scope: string }) {
  return (
    <div className="note note-quiet">
      <p>
        You may not {what}: your token lacks the scope <code>{scope}</code>. Ask the person who manages
        access.
      </p>
    </div>
  )
}
