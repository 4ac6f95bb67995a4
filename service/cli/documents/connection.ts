import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { createDocumentsClient, type DocumentsClient } from '../../client/client.ts'
import { UsageError } from '../command.ts'
import { signLocalToken } from '../local-issuer/access-token.ts'
import { localScope } from '../local-issuer/sign-in-code.ts'
import { chooseStart, type LocalStart, localFolder, readLocalStarts } from '../local-issuer/starts.ts'
import { parsePort } from '../values.ts'

export interface ConnectionFlags {
  url?: string
  tenant?: string
  port?: number
  local: string
}

/** The variables that are read; flags come before them. Tokens have no flag: a command line is not secret. */
export interface ConnectionEnvironment {
  DOCUMENTS_TOKEN?: string | undefined
  DOCUMENTS_TOKEN_FILE?: string | undefined
}

/** Long enough for one call to begin; each call gets a new one. */
const localTokenSeconds = 300

/** Adds the flags that choose the service and the tenant. */
export function withConnection(command: Command): Command {
  const flags = [
    new Option('--tenant <tenant>', 'tenant that owns the documents').env('DOCUMENTS_TENANT'),
    new Option('--url <url>', 'URL of the service (default: the one that start runs)').env('DOCUMENTS_URL'),
    new Option('--port <port>', 'port of the start, if several run').env('PORT').argParser(parsePort),
    new Option('--local <folder>', 'where start keeps its state').default(localFolder, '.local'),
  ]
  for (const flag of flags) command.addOption(flag.helpGroup('Connection:'))
  return command
}

/**
 * Returns the client of a command: to `--url` with the token of the environment, or to the service that
 * `start` runs on this machine, with a token made for the call.
 *
 * @throws {UsageError | IncompleteError} where service, token or tenant is missing or ambiguous
 */
export async function connect(
  flags: ConnectionFlags,
  environment: ConnectionEnvironment,
): Promise<DocumentsClient> {
  return createDocumentsClient(await connectionOf(flags, environment))
}

/** A service, a tenant of it and how to get a token. */
export interface Connection {
  url: string
  tenant: string
  token: string | (() => Promise<string>)
}

/** Returns what {@link connect} connects to. @throws {UsageError | IncompleteError} as {@link connect} does */
export async function connectionOf(
  flags: ConnectionFlags,
  environment: ConnectionEnvironment,
): Promise<Connection> {
  const { url, tenant } = flags
  if (!tenant) throw new UsageError('no tenant: give --tenant or DOCUMENTS_TENANT')
  const token = tokenOf(environment)
  if (url && token) return { url, token, tenant }
  if (token) throw new UsageError('a token without its service: give --url or DOCUMENTS_URL as well')
  const start = findStart(await readLocalStarts(flags.local), flags)
  const request = { tenants: [tenant], scope: localScope, expiresInSeconds: localTokenSeconds }
  return { url: start.url, token: () => signLocalToken(start, request), tenant }
}

function tokenOf(environment: ConnectionEnvironment): string | (() => Promise<string>) | null {
  const { DOCUMENTS_TOKEN: token, DOCUMENTS_TOKEN_FILE: file } = environment
  if (token && file) throw new UsageError('DOCUMENTS_TOKEN and DOCUMENTS_TOKEN_FILE are both set: unset one')
  if (token) return token
  // Read for every call: the file may be renewed during a long listing.
  return file ? () => tokenFrom(file) : null
}

async function tokenFrom(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    throw new UsageError(
      `DOCUMENTS_TOKEN_FILE cannot be read: ${(error as { code?: string }).code ?? 'unknown'}`,
    )
  }
}

const otherwise = ', or give --url and DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE'

/** Returns the start that the flags choose. @throws {UsageError | IncompleteError} */
function findStart(starts: ReadonlyMap<number, LocalStart>, { url, port }: ConnectionFlags): LocalStart {
  if (url) return startAt(url, starts)
  return chooseStart(starts, port, otherwise)
}

function startAt(url: string, starts: ReadonlyMap<number, LocalStart>): LocalStart {
  const asked = URL.canParse(url) ? new URL(url).href : url
  const start = [...starts.values()].find((candidate) => new URL(candidate.url).href === asked)
  if (!start) throw new UsageError('no token for this service: give DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE')
  return start
}
