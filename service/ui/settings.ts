import { createContext, useContext } from 'react'

/** What the service tells the page about its surroundings: `/ui-settings.json`. No secret is among it. */
export interface UiSettings {
  /** The issuer whose tokens the service takes; its discovery document names the endpoints. */
  issuer: string
  clientId: string
  audience: string
  /** Space-separated, as it goes into an authorisation request. */
  scope: string
  /** Where traces are looked at, `{traceId}` standing for the trace; `null` where they are nowhere. */
  traceUrlTemplate: string | null
  /** Larger files are refused; not told by older services. */
  documentBytesMax?: number
  /** Files from this size on go straight to the store; the client's own default where it is not told. */
  ticketBytesMin?: number
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** @throws {SettingsError} where the service does not answer, or answers something else */
export async function readSettings(fetch: (url: string) => Promise<Response>): Promise<UiSettings> {
  const response = await fetch('/ui-settings.json').catch(() => null)
  if (response === null) throw new SettingsError('The document service does not answer.')
  if (!response.ok) throw new SettingsError(`The document service answered with ${response.status}.`)
  return settingsFrom(await response.json().catch(() => null))
}

/** @throws {SettingsError} */
export function settingsFrom(value: unknown): UiSettings {
  const given = (value ?? {}) as { [name in keyof UiSettings]?: unknown }
  const { traceUrlTemplate, documentBytesMax, ticketBytesMin } = given
  return {
    issuer: text('issuer', given.issuer),
    clientId: text('clientId', given.clientId),
    audience: text('audience', given.audience),
    scope: text('scope', given.scope),
    traceUrlTemplate: typeof traceUrlTemplate === 'string' ? traceUrlTemplate : null,
    ...(typeof documentBytesMax === 'number' ? { documentBytesMax } : {}),
    ...(typeof ticketBytesMin === 'number' ? { ticketBytesMin } : {}),
  }
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new SettingsError(`The settings of the document service have no ${name}.`)
}

export const SettingsContext = createContext<UiSettings | null>(null)

export function useSettings(): UiSettings {
  const settings = useContext(SettingsContext)
  if (settings === null) throw new Error('There are no settings around this component.')
  return settings
}
