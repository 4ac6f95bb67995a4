import { useEffect, useId, useRef, useState } from 'react'
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
        <label htmlFor={filterId}>Filter loaded names</label>
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

const pauseMs = 250

/**
 * Text that is being typed and is kept after a pause of 250 ms; changes of the kept text are shown.
 *
 * @returns the text as typed, and the function to call with each change
 */
export function useTypedText(kept: string, keep: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(kept)
  const last = useRef(kept)
  const keepNow = useRef(keep)
  keepNow.current = keep
  useEffect(() => {
    if (kept === last.current) return
    last.current = kept
    setText(kept)
  }, [kept])
  useEffect(() => {
    if (text === last.current) return
    const timer = setTimeout(() => {
      last.current = text
      keepNow.current(text)
    }, pauseMs)
    return () => clearTimeout(timer)
  }, [text])
  return [text, setText]
}
