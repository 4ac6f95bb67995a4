/** The titles of a table that is laid out as cards where there is no room: Safari forgets the roles then. */
export function TableHead({ titles }: { titles: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see above
    <thead role="rowgroup">
      {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
      <tr role="row">
        {titles.map((title) => (
          // biome-ignore lint/a11y/noRedundantRoles: see above
          <th key={title} role="columnheader" scope="col">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  )
}
