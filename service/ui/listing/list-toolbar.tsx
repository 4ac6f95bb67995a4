import { useId } from 'react'
import { useTypedText } from '../parts/use-typed-text.ts'
import type { ListQuery } from './list-query.ts'

interface ListToolbarProps {
  query: ListQuery
  onChange: (part: Partial<ListQuery>) => void
}

/** What is read, and what of it is shown. */
export function ListToolbar({ query, onChange }: ListToolbarProps) {
  const [prefix, setPrefix] = useTypedText(query.prefix, (text) => onChange({ prefix: text.trim() }))
  const [filter, setFilter] = useTypedText(query.filter, (text) => onChange({ filter: text }))
  const prefixId = useId()
  const filterId = useId()
  return (
    <div className="toolbar">
      <div className="field">
        <label htmlFor={prefixId}>Name begins with</label>
        <input
          id={prefixId}
          type="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={prefix}
          onChange={(event) => setPrefix(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={filterId}>Filter what was read</label>
        <input
          id={filterId}
          type="text"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
    </div>
  )
}
