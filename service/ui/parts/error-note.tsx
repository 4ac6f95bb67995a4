import type { ReactNode } from 'react'
import { traceUrl } from '../calls/traces.ts'
import { type Failure, failureOf } from '../failures/failure.ts'
import { useSettings } from '../settings.ts'
import { CopyButton } from './copy-button.tsx'

interface ErrorNoteProps {
  error: unknown
  /** What can be done from here, such as a button to try again. */
  children?: ReactNode
}

/** What went wrong, what to do about it, and the trace to look it up by. */
export function ErrorNote({ error, children }: ErrorNoteProps) {
  return <FailureNote failure={failureOf(error)}>{children}</FailureNote>
}

/** Shows a failure: title, detail, advice and trace, with `children` as actions. */
export function FailureNote({ failure, children }: { failure: Failure; children?: ReactNode }) {
  const { title, detail, advice, traceId } = failure
  return (
    <div role="alert" className="note note-error">
      <p className="note-title">{title}</p>
      {detail !== '' && detail !== title && <p>{detail}</p>}
      {advice !== '' && <p>{advice}</p>}
      {traceId !== null && <Trace traceId={traceId} />}
      {children && <div className="row">{children}</div>}
    </div>
  )
}

/** “Trace …”, leading to the trace where traces can be looked at, and the id to copy. */
export function Trace({ traceId }: { traceId: string }) {
  const url = traceUrl(useSettings().traceUrlTemplate, traceId)
  const text = (
    <>
      Trace <code>{traceId}</code>
    </>
  )
  return (
    <p className="trace">
      {url ? (
        <a href={url} target="_blank" rel="noopener noreferrer">
          {text}
        </a>
      ) : (
        <span>{text}</span>
      )}
      <CopyButton text={traceId} label="Copy trace id" />
    </p>
  )
}
