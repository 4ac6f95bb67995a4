import type { Digest } from './names.ts'

/**
 * What an archive of documents holds, as server and client both say it (ARCHITECTURE.md, "How an archive is sent"): a tar
 * whose first file is the manifest, followed by the versions in the order of the request. Everything in it but the bytes
 * of the versions follows from the request and their sizes, so that a client can compare it byte by byte.
 */

/** A version in an archive, as the manifest names it. */
export interface ArchivedVersion {
  /** Where it is in the archive. */
  path: string
  type: string
  name: string
  digest: Digest
  /** Bytes. */
  size: number
}

/** Path of the manifest. Those of documents have a slash. */
export const manifestPath = 'manifest.json'

/** Response header with the bytes of the whole archive: a streamed answer has no `Content-Length`. */
export const archiveSizeHeader = 'Archive-Size'

/** As many digits of a digest as tell the versions of a document apart, unless someone has made them alike. */
const shortHexChars = 12

/**
 * Adds to each version its path in an archive: `<type>/<name>`; `<type>/<name>@<hex>` for each version of a document of
 * which there are several, with the first 12 digits of its digest, or all 64 if these do not tell them apart. No name can
 * hold an `@`.
 */
export function withPaths<Version extends { type: string; name: string; digest: string }>(
  versions: readonly Version[],
): (Version & { path: string })[] {
  const hexesOf = new Map<string, string[]>()
  for (const version of versions) {
    const hexes = hexesOf.get(documentOf(version))
    if (hexes) hexes.push(hexOf(version))
    else hexesOf.set(documentOf(version), [hexOf(version)])
  }
  const hexChars = new Map([...hexesOf].map(([document, hexes]) => [document, charsThatTellApart(hexes)]))
  return versions.map((version) => {
    const document = documentOf(version)
    const chars = hexChars.get(document) ?? 0
    return { ...version, path: chars === 0 ? document : `${document}@${hexOf(version).slice(0, chars)}` }
  })
}

function charsThatTellApart(hexes: readonly string[]): number {
  if (hexes.length === 1) return 0
  const short = new Set(hexes.map((hex) => hex.slice(0, shortHexChars)))
  return short.size === hexes.length ? shortHexChars : 64
}

function documentOf({ type, name }: { type: string; name: string }): string {
  return `${type}/${name}`
}

function hexOf({ digest }: { digest: string }): string {
  return digest.slice('sha256:'.length)
}

/** Returns the text of the manifest: JSON and a line break. */
export function manifestText(versions: readonly ArchivedVersion[]): string {
  const documents = versions.map(({ path, type, name, digest, size }) => ({ path, type, name, digest, size }))
  return `${JSON.stringify({ documents })}\n`
}
