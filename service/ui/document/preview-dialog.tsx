import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { type PreviewText, previewText } from './preview-text.ts'
import type { ShownVersion } from './use-versions.ts'

interface PreviewDialogProps {
  document: DocumentAddress
  version: ShownVersion
  onClose: () => void
}

/** The text of a version, verified against its digest. It is text here, never a page of its own. */
export function PreviewDialog({ document: { tenant, type, name }, version, onClose }: PreviewDialogProps) {
  const call = useDocumentsCall()
  const { digest, contentType } = version
  const text = useQuery({
    queryKey: ['preview', tenant, type, name, digest],
    queryFn: ({ signal }) =>
      call(tenant, async (documents) => {
        const { bytes } = await documents.getBytes({ type, name, digest }, { signal })
        return previewText(bytes, contentType)
      }),
    // A version never changes.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  })
  return (
    <Dialog title={`${name}, version ${shortDigest(digest)}`} onClose={onClose} wide>
      {text.isPending && <Loading />}
      {text.isError && <ErrorNote error={text.error} onRetry={() => text.refetch()} />}
      {text.data && <Text text={text.data} />}
      <div className="row row-end">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function Text({ text: { raw, pretty, hasBadBytes, jsonError } }: { text: PreviewText }) {
  const [asStored, setAsStored] = useState(false)
  const shown = asStored || pretty === null ? raw : pretty
  return (
    <>
      <div className="row preview-tools">
        {pretty !== null && (
          <label className="check">
            <input
              type="checkbox"
              checked={asStored}
              onChange={({ target }) => setAsStored(target.checked)}
            />
            Show as stored
          </label>
        )}
        <CopyButton text={raw} label="Copy text" />
      </div>
      {jsonError !== null && <p className="note note-quiet">This is not valid JSON: {jsonError}</p>}
      {hasBadBytes && (
        <p className="note note-quiet">
          Some bytes are not UTF-8 and are shown as �. Download the version to see them.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <section className="preview" tabIndex={0} aria-label="Text of the version">
        <pre>{shown === '' ? '(empty)' : shown}</pre>
      </section>
    </>
  )
}
