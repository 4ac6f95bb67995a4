import { type ReactNode, useEffect, useId, useRef } from 'react'

interface DialogProps {
  title: string
  children: ReactNode
  /** Escape, the close button of a phone, or a click beside it; where it is left out, the dialog cannot be left. */
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
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    if (dialog && !dialog.open) dialog.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      className={wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  )
}
