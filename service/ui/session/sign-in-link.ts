const fragment = /^#sign-in=([A-Za-z0-9\-._~]+)$/

/** The single-use code in the fragment of a sign-in link, or in a link that was pasted; `null` where there is none. */
export function signInCodeOf(link: string): string | null {
  const text = link.trim()
  const hash = text.startsWith('#') ? text : URL.canParse(text) ? new URL(text).hash : ''
  return fragment.exec(hash)?.[1] ?? null
}

/** Takes the code out of the address bar, and so out of the history, before anything else can see it. */
export function takeSignInCode(location: Location, history: History): string | null {
  const code = signInCodeOf(location.hash)
  if (location.hash.startsWith('#sign-in=')) {
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return code
}
