import type { ReactNode } from 'react'

interface LoadMoreProps {
  /** What the button says. */
  text: string
  isLoading: boolean
  onLoad: () => void
  before?: ReactNode
  /** After the button. */
  children?: ReactNode
}

/** The end of a list that continues: a button for its next rows, and what there is to say about them. */
export function LoadMore({ text, isLoading, onLoad, before, children }: LoadMoreProps) {
  return (
    <div className="load-more">
      {before}
      <button type="button" className="button" disabled={isLoading} onClick={onLoad}>
        {text}
      </button>
      {children}
    </div>
  )
}
