import { type ReactNode, useEffect, useId, useRef } from 'react'

interface DialogProps {
  title: string
  children: ReactNode
  /** Escape, or the way back of a phone; where it is left out, the dialog cannot be left. */
  onClose?: (() => void) | undefined
  /** For text to read. */
  wide?: boolean
}

/**
 * A modal dialog. The native element traps the focus, makes the rest inert and gives the focus back when it closes
 * (HTML Standard, "The dialog element").
 */
export function Dialog({ title, children, onClose, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  const ending = useRef(false)
  useEffect(() => {
    ending.current = false
    const dialog = element.current
    const before = document.activeElement
    if (dialog && !dialog.open) dialog.showModal()
    return () => {
      ending.current = true
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  /** At a second Escape a browser does not ask any more (HTML Standard, "close watcher"). */
  const closedByBrowser = () => {
    if (ending.current || element.current?.open) return
    if (onClose) onClose()
    else element.current?.showModal()
  }
  return (
    <dialog
      ref={element}
      className={wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onClose={closedByBrowser}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  )
}
