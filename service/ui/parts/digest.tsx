/** Returns the first 12 hexadecimal digits: enough to tell versions apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}

/** Shows the short digest, with the whole one as its tooltip. */
export function Digest({ digest }: { digest: string }) {
  return (
    <code className="digest" title={digest}>
      {shortDigest(digest)}
    </code>
  )
}
