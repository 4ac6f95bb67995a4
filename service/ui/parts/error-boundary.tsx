import { Component, type ReactNode } from 'react'
import { ErrorNote } from './error-note.tsx'

/** Shows what a view threw instead of an empty page. A new `view` gets a new chance. */
export class ErrorBoundary extends Component<
  { children: ReactNode; view: string },
  { error: unknown; view: string }
> {
  override state = { error: null, view: this.props.view }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  static getDerivedStateFromProps(props: { view: string }, state: { error: unknown; view: string }) {
    return props.view === state.view ? null : { error: null, view: props.view }
  }

  override render() {
    if (this.state.error === null) return this.props.children
    return (
      <main className="page">
        <ErrorNote error={this.state.error}>
          <button type="button" className="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </ErrorNote>
      </main>
    )
  }
}
