import { type ReactNode, useCallback, useState } from 'react'
import { useDropzone } from 'react-dropzone'
import { announce } from '../parts/announcer.tsx'
import { useTransfers } from '../transfers/use-transfers.ts'

interface DropAreaProps {
  tenant: string
  type: string
  allowed: boolean
  children: (chooseFiles: () => void) => ReactNode
}

/** Of one drop: a list of more would be of no use to anybody. */
const filesMax = 500

/** Files can be dropped anywhere on it, or chosen; they are uploaded under their own names. */
export function DropArea({ tenant, type, allowed, children }: DropAreaProps) {
  const transfers = useTransfers()
  const [tooMany, setTooMany] = useState(false)
  const onDrop = useCallback(
    (files: readonly File[]) => {
      setTooMany(files.length > filesMax)
      if (files.length === 0 || files.length > filesMax) return
      transfers.upload({ tenant, type }, files)
      announce(files.length === 1 ? '1 file added to the transfers' : `${files.length} files added`)
    },
    [transfers, tenant, type],
  )
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    onDrop,
    disabled: !allowed,
    // There is a button for both.
    noClick: true,
    noKeyboard: true,
  })
  return (
    <div {...getRootProps({ className: 'drop-area' })}>
      <input {...getInputProps({ 'aria-label': 'Files to upload', tabIndex: -1 })} />
      {tooMany && (
        <p role="alert" className="note note-error">
          At most {filesMax} files can be added at once.
        </p>
      )}
      {children(open)}
      {isDragActive && (
        <div className="drop-hint" aria-hidden="true">
          Drop to upload to {type}
        </div>
      )}
    </div>
  )
}
