import { useEffect, useRef, useState } from 'react'

/**
 * Moves the focus to an element once what was asked for is on the page: a dialog that closes gives the focus back to
 * where it was, which may not be there any more.
 */
export function useFocus<Focused extends HTMLElement>() {
  const ref = useRef<Focused>(null)
  const [requests, setRequests] = useState(0)
  useEffect(() => {
    if (requests > 0) ref.current?.focus()
  }, [requests])
  return { ref, focus: () => setRequests((count) => count + 1) }
}
