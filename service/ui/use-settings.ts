import { createContext, useContext } from 'react'
import type { UiSettings } from './settings.ts'

export const SettingsContext = createContext<UiSettings | null>(null)

export function useSettings(): UiSettings {
  const settings = useContext(SettingsContext)
  if (settings === null) throw new Error('There are no settings around this component.')
  return settings
}
