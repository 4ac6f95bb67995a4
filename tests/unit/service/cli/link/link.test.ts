import { describe, expect, it } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { runCommand } from '../../../../../compose/run-command.ts'
import { startLocalIssuer } from '../../../../../service/cli/local-issuer/issuer.ts'
import { writeLocalStart } from '../../../../../service/cli/local-issuer/starts.ts'
import { folderForTests } from '../../../../support/folder.ts'
import { registerSecret } from '../../../../support/secrets.ts'
import { stoppedAfterTests } from '../../../../support/stop-at-the-end.ts'

const script = fileURLToPath(new URL('../../../../../service/cli/link/link.ts', import.meta.url))
const url = 'http://127.0.0.1:8080'

const issuer = stoppedAfterTests(await startLocalIssuer({ uiOrigins: [url] }))
registerSecret(String(issuer.privateJwk.d))
const folder = await folderForTests('link-')
const { issuer: iss, audience, privateJwk: jwk } = issuer
const state = { url, issuer: iss, audience, jwk, startedAt: new Date().toISOString(), pid: process.pid }
await writeLocalStart(8080, state, folder)

async function link(args: string[], local = folder) {
  const { exitCode, stdout, stderr } = await runCommand(
    [process.execPath, script, ...args, '--local', local],
    { env: {} },
  )
  const code = codeIn(stdout)
  if (code) registerSecret(code)
  return { exitCode, stdout, stderr, code }
}

function codeIn(printed: string): string | undefined {
  return /#sign-in=(\S+)/.exec(printed)?.[1]
}

/** Returns the claims of the token that the link leads to. */
async function signedInWith(code: string | undefined): Promise<Record<string, unknown>> {
  const response = await fetch(`${issuer.issuer}/token`, {
    method: 'POST',
    headers: { origin: url },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: issuer.clientId,
      code: code ?? '',
      redirect_uri: `${url}/sign-in/callback`,
    }),
  })
  const { access_token, refresh_token } = (await response.json()) as Record<string, string>
  if (!access_token || !refresh_token) throw new Error(`refused with ${response.status}`)
  registerSecret(access_token)
  registerSecret(refresh_token)
  return decodeJwt(access_token)
}

describe('bun run link', () => {
  it('prints only a link on standard output, which signs in for two tenants with all scopes', async () => {
    const { exitCode, stdout, stderr, code } = await link([])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toBe(`${url}/#sign-in=${code}\n`)
    expect(code).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(await signedInWith(code)).toMatchObject({
      sub: 'local-developer',
      tenants: ['acme', 'globex'],
      scope: 'documents:read documents:write documents:admin',
    })
  })

  it('signs in for the given tenants, scopes and subject, and for no others', async () => {
    const asked = [
      '--tenant',
      'initech',
      '--tenant',
      'acme',
      '--scope',
      'documents:read',
      '--subject',
      'alice',
    ]
    const { code } = await link([...asked, '--port', '8080'])
    expect(await signedInWith(code)).toMatchObject({
      sub: 'alice',
      tenants: ['initech', 'acme'],
      scope: 'documents:read',
    })
  })

  it('prints another link each time, which works once', async () => {
    const [first, second] = [await link([]), await link([])]
    expect(first.code).not.toBe(second.code)
    await signedInWith(first.code)
    await signedInWith(second.code)
    await expect(signedInWith(second.code)).rejects.toThrow('refused with 400')
  })

  it('refuses a wrong tenant, an unknown scope and a port out of range', async () => {
    expect((await link(['--tenant', 'ACME'])).exitCode).toBe(2)
    expect((await link(['--scope', 'documents:all'])).exitCode).toBe(2)
    const { exitCode, stdout, stderr } = await link(['--port', '99999'])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Give a port from 1 to 65535.')
  })

  it('says that no start is running', async () => {
    const empty = await folderForTests('link-')
    const { exitCode, stdout, stderr } = await link([], empty)
    expect([exitCode, stdout]).toEqual([3, ''])
    expect(stderr).toBe('error: no start is running: run "bun run start" first\n')
  })
})
