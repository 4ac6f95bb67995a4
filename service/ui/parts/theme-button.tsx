import { useEffect, useState } from 'react'
import { Icon, type IconName } from './icon.tsx'

const themes = ['system', 'light', 'dark'] as const
type Theme = (typeof themes)[number]

const icons: Record<Theme, IconName> = { system: 'screen', light: 'sun', dark: 'moon' }
const key = 'documents.theme'

/** Returns the theme chosen in this tab, otherwise `system`. */
export function chosenTheme(): Theme {
  const stored = sessionStorage.getItem(key)
  return themes.find((theme) => theme === stored) ?? 'system'
}

/** Applies a theme to the document. */
export function showTheme(theme: Theme): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme')
  else document.documentElement.dataset.theme = theme
}

/** Switches between the themes and keeps the choice in this tab. */
export function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme)
  useEffect(() => {
    showTheme(theme)
    sessionStorage.setItem(key, theme)
  }, [theme])
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
  return (
    <button
      type="button"
      className="button-icon"
      aria-label={`Theme: ${theme}`}
      title={`Theme: ${theme}. Change to ${next}.`}
      onClick={() => setTheme(next)}
    >
      <Icon name={icons[theme]} />
    </button>
  )
}
