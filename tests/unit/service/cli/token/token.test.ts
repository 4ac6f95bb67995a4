import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { runCommand } from '../../../../../compose/run-command.ts'
import { createAuthenticator } from '../../../../../service/authn/authenticator.ts'
import { startLocalIssuer } from '../../../../../service/cli/local-issuer/issuer.ts'
import { removeLocalStart, writeLocalStart } from '../../../../../service/cli/local-issuer/starts.ts'
import { folderForTests } from '../../../../support/folder.ts'
import { registerSecret } from '../../../../support/secrets.ts'
import { stoppedAfterTests } from '../../../../support/stop-at-the-end.ts'

const script = fileURLToPath(new URL('../../../../../service/cli/token/token.ts', import.meta.url))

const issuer = stoppedAfterTests(await startLocalIssuer())
registerSecret(String(issuer.privateJwk.d))
const folder = await folderForTests('token-')
await writeState(8080)

async function writeState(port: number, local = folder): Promise<void> {
  const { issuer: iss, audience, privateJwk: jwk } = issuer
  const started = { startedAt: new Date().toISOString(), pid: process.pid }
  await writeLocalStart(
    port,
    { url: `http://127.0.0.1:${port}`, issuer: iss, audience, jwk, ...started },
    local,
  )
}

async function token(args: string[], env: Record<string, string> = {}, local = folder) {
  const argv = [process.execPath, script, ...args, '--local', local]
  const { exitCode: code, stdout, stderr } = await runCommand(argv, { env })
  if (stdout.startsWith('eyJ')) registerSecret(stdout.trim())
  return { code, stdout, stderr }
}

const reading = ['--tenant', 'acme', '--scope', 'documents:read']

describe('bun run token', () => {
  it('prints a token that the service accepts, alone on standard output', async () => {
    const all = ['--tenant', 'acme', '--tenant', 'globex', '--scope', 'documents:read documents:write']
    const { code, stdout, stderr } = await token([...all, '--subject', 'deployer'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const authenticator = createAuthenticator(issuer)
    expect(await authenticator.authenticate(`Bearer ${stdout.trim()}`)).toEqual({
      ok: true,
      principal: {
        subject: 'deployer',
        tenants: new Set(['acme', 'globex']),
        scopes: new Set(['documents:read', 'documents:write']),
        clientId: issuer.clientId,
      },
    })
  })

  it('prints a token with the given lifetime, by default an hour', async () => {
    const lifetimeOf = ({ stdout }: { stdout: string }) => {
      const { iat = 0, exp = 0 } = decodeJwt(stdout.trim())
      return exp - iat
    }
    expect(lifetimeOf(await token(reading))).toBe(3600)
    expect(lifetimeOf(await token([...reading, '--expires', '60']))).toBe(60)
    expect(await token([...reading, '--expires', '0'])).toMatchObject({ code: 2, stdout: '' })
    expect(await token([...reading, '--expires', '86401'])).toMatchObject({ code: 2, stdout: '' })
    expect(await token([...reading, '--expires', '1h'])).toMatchObject({ code: 2, stdout: '' })
  })

  it('refuses a wrong tenant and an unknown scope', async () => {
    const tenant = await token(['--tenant', 'Acme', '--scope', 'documents:read'])
    expect(tenant).toMatchObject({ code: 2, stdout: '' })
    expect(tenant.stderr).toContain('A tenant is a DNS label')
    const scope = await token(['--tenant', 'acme', '--scope', 'documents:read documents:own'])
    expect(scope).toMatchObject({ code: 2, stdout: '' })
    expect(scope.stderr).toContain('Scopes are documents:read, documents:write, documents:admin')
    expect(await token(['--tenant', 'acme', '--scope', ''])).toMatchObject({ code: 2, stdout: '' })
  })

  it('names a required flag that is missing', async () => {
    expect((await token(['--scope', 'documents:read'])).stderr).toContain(
      "required option '--tenant <tenant>'",
    )
    expect((await token(['--tenant', 'acme'])).stderr).toContain("required option '--scope <scopes>'")
    expect(await token([])).toMatchObject({ code: 2, stdout: '' })
  })

  it('says that no start is running', async () => {
    expect(await token(reading, {}, join(folder, 'absent'))).toEqual({
      code: 3,
      stdout: '',
      stderr: 'error: no start is running: run "bun run start" first\n',
    })
  })

  it('asks for --port or PORT if several starts run', async () => {
    const several = await folderForTests('token-')
    await writeState(8081, several)
    await writeState(8082, several)
    expect(await token(reading, {}, several)).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: several starts are running, choose with --port: 8081, 8082\n',
    })
    expect(await token([...reading, '--port', '8082'], {}, several)).toMatchObject({ code: 0 })
    expect(await token(reading, { PORT: '8081' }, several)).toMatchObject({ code: 0 })
    expect(await token([...reading, '--port', '9'], {}, several)).toMatchObject({
      code: 3,
      stderr: 'error: no start is running on port 9; running on 8081, 8082: run "bun run start" first\n',
    })
    await removeLocalStart(8081, several)
    expect(await token(reading, {}, several)).toMatchObject({ code: 0 })
  })
})
