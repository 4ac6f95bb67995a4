import type { ReactNode } from 'react'
import { traceUrl } from '../calls/traces.ts'
import { type Failure, failureOf } from '../failures/failure.ts'
import { useSettings } from '../settings.ts'
import { CopyButton } from './copy-button.tsx'

interface NoteProps {
  /** Adds a button to try again. */
  onRetry?: (() => unknown) | undefined
  /** Further actions, such as links. */
  children?: ReactNode
}

/** What went wrong, what to do about it, and the trace to look it up by. */
export function ErrorNote({ error, ...actions }: NoteProps & { error: unknown }) {
  return <FailureNote failure={failureOf(error)} {...actions} />
}

/** Shows a failure: title, detail, advice, trace and actions. */
export function FailureNote({ failure, onRetry, children }: NoteProps & { failure: Failure }) {
  const { title, detail, advice, traceId } = failure
  return (
    <div role="alert" className="note note-error">
      <p className="note-title">{title}</p>
      {detail !== '' && detail !== title && <p>{detail}</p>}
      {advice !== '' && <p>{advice}</p>}
      {traceId !== null && <Trace traceId={traceId} />}
      {(onRetry || children) && (
        <div className="row">
          {onRetry && (
            <button type="button" className="button" onClick={() => onRetry()}>
              Try again
            </button>
          )}
          {children}
        </div>
      )}
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
