import { createContext, useContext } from 'react'
import type { UiSettings } from '../wire/ui-settings.ts'

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** Reads the settings from the service. @throws {SettingsError} if it does not answer, or not with settings */
export async function readSettings(fetch: (url: string) => Promise<Response>): Promise<UiSettings> {
  const response = await fetch('/ui-settings.json').catch(() => null)
  if (response === null) throw new SettingsError('The document service does not answer.')
  if (!response.ok) throw new SettingsError(`The document service answered with ${response.status}.`)
  return settingsFrom(await response.json().catch(() => null))
}

/** Returns the settings in a JSON value. @throws {SettingsError} for a missing setting */
export function settingsFrom(value: unknown): UiSettings {
  const given = (value ?? {}) as { [name in keyof UiSettings]?: unknown }
  const { traceUrlTemplate, documentBytesMax, hasHistory, ticketBytesMin } = given
  return {
    issuer: text('issuer', given.issuer),
    clientId: text('clientId', given.clientId),
    audience: text('audience', given.audience),
    scope: text('scope', given.scope),
    traceUrlTemplate: typeof traceUrlTemplate === 'string' ? traceUrlTemplate : null,
    ...(typeof documentBytesMax === 'number' ? { documentBytesMax } : {}),
    ...(typeof hasHistory === 'boolean' ? { hasHistory } : {}),
    ...(typeof ticketBytesMin === 'number' ? { ticketBytesMin } : {}),
  }
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new SettingsError(`The settings of the document service have no ${name}.`)
}

export const SettingsContext = createContext<UiSettings | null>(null)

/** Returns the settings of the surrounding context. @throws {Error} outside of it */
export function useSettings(): UiSettings {
  const settings = useContext(SettingsContext)
  if (settings === null) throw new Error('This component has no SettingsContext around it.')
  return settings
}
