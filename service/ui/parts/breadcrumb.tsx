import { Link } from 'wouter'

export interface Crumb {
  text: string
  /** Left out for where one is. */
  href?: string
}

/** Where one is, and the way back up. */
export function Breadcrumb({ crumbs }: { crumbs: readonly Crumb[] }) {
  return (
    <nav aria-label="Breadcrumb" className="breadcrumb">
      <ol>
        {crumbs.map(({ text, href }) => (
          <li key={href ?? 'here'}>
            {href === undefined ? <span aria-current="page">{text}</span> : <Link href={href}>{text}</Link>}
          </li>
        ))}
      </ol>
    </nav>
  )
}
