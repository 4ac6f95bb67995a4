/** How long a browser may take to begin with a Blob that it was told to save. */
const releaseAfterMs = 60_000

/** Saves bytes as a file. They are never shown in this page's origin: the type is one that no browser opens. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), releaseAfterMs)
}
