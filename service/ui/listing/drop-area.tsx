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
  const [refused, setRefused] = useState<string | null>(null)
  const onDrop = useCallback(
    (files: readonly File[]) => {
      const reason = refusalOf(files)
      setRefused(reason)
      if (files.length === 0 || reason !== null) return
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
      {refused !== null && (
        <p role="alert" className="note note-error">
          {refused}
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

/** Returns why files cannot be uploaded together; `null` if they can. */
function refusalOf(files: readonly File[]): string | null {
  if (files.length > filesMax) return `Nothing was added: at most ${filesMax} files can be added at once.`
  const byName = Map.groupBy(files, ({ name }) => name)
  // Of a dropped folder, files of different folders may have the same name.
  const same = [...byName].find(([, named]) => named.length > 1)
  if (same === undefined) return null
  const [name, named] = same
  const paths = named.slice(0, 3).map(pathOf).join(', ')
  return (
    `Nothing was added: ${named.length} files are called ${name} (${paths}), and would become versions of one document. ` +
    'Rename them, or upload each from the page of its document.'
  )
}

/** Returns where a file was in the folder that was dropped or chosen (`path` is set by react-dropzone). */
function pathOf(file: File & { path?: string }): string {
  return (file.path ?? file.name).replace(/^\.?\//, '')
}
