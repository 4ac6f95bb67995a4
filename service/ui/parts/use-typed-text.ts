import { useEffect, useRef, useState } from 'react'

const pauseMs = 250

/**
 * Text that somebody types, kept elsewhere once they pause; what is changed elsewhere is shown here.
 *
 * @returns the text as typed, and what to call when it is
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
