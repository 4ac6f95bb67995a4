import { useEffect, useState } from 'react'
import { announce } from './announcer.tsx'
import { Icon } from './icon.tsx'

const shownMs = 2_000

/** Copies a text, and says that it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), shownMs)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    await navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true)
        announce('Copied')
      },
      () => announce('The browser does not let this page copy.'),
    )
  }
  return (
    <button
      type="button"
      className="button-icon"
      aria-label={label}
      title={copied ? 'Copied' : label}
      onClick={copy}
    >
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  )
}
