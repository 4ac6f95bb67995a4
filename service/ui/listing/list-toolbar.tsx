import { useEffect, useId, useRef, useState } from 'react'
import type { ListQuery } from './list-query.ts'

interface ListToolbarProps {
  query: ListQuery
  onChange: (part: Partial<ListQuery>) => void
}

/** What is read, and what of it is shown. */
export function ListToolbar({ query, onChange }: ListToolbarProps) {
  return (
    <div className="toolbar">
      <Field
        label="Name begins with"
        type="search"
        kept={query.prefix}
        keep={(text) => onChange({ prefix: text.trim() })}
      />
      <Field
        label="Filter loaded names"
        type="text"
        kept={query.filter}
        keep={(text) => onChange({ filter: text })}
      />
    </div>
  )
}

interface FieldProps {
  label: string
  type: 'search' | 'text'
  kept: string
  keep: (text: string) => void
}

function Field({ label, type, kept, keep }: FieldProps) {
  const [text, setText] = useTypedText(kept, keep)
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  )
}

const pauseMs = 250

/**
 * Text that is being typed and is kept after a pause of 250 ms; changes of the kept text are shown.
 *
 * @returns the text as typed, and the function to call with each change
 */
function useTypedText(kept: string, keep: (text: string) => void): [string, (text: string) => void] {
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
