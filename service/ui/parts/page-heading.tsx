import { type ReactNode, useEffect, useRef } from 'react'

interface PageHeadingProps {
  children: ReactNode
  /** Of the window. */
  title: string
}

/** The heading of a view. It takes the focus when the view appears, so that a screen reader begins there. */
export function PageHeading({ children, title }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Documents`
    heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
