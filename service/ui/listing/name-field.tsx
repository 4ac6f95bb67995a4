import { useEffect, useId, useRef, useState } from 'react'

interface NameFieldProps {
  label: string
  kept: string
  keep: (text: string) => void
}

/** A field for a part of names, without the spaces around it. */
export function NameField({ label, kept, keep }: NameFieldProps) {
  const [text, setText] = useTypedText(kept, (typed) => keep(typed.trim()))
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
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
