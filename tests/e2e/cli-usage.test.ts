import { afterAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { docs } from '../support/commands/cli-run.ts'

const digest = `sha256:${'0'.repeat(64)}`
/** Any address would do: these command lines are refused before anything is sent. */
const connected = { DOCUMENTS_URL: 'http://127.0.0.1:9', DOCUMENTS_TOKEN: 'abc', DOCUMENTS_TENANT: 'acme' }

const folder = await mkdtemp(join(tmpdir(), 'cli-usage-'))
afterAll(() => rm(folder, { recursive: true }))

describe('bun run documents', () => {
  it('shows examples in its help, and how it finds the service', async () => {
    const { code, stdout } = await docs(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
    expect(stdout).toContain('bun run documents get deployment-bundles/orders-api.tar -o orders-api.tar')
    expect(stdout).toContain('DOCUMENTS_TOKEN_FILE')
  })

  it('refuses a command that it does not know, and no command, with exit code 2', async () => {
    expect((await docs(['upload', 'x'])).code).toBe(2)
    expect((await docs([])).code).toBe(2)
  })

  it('refuses a flag that it does not know', async () => {
    const { code, stderr } = await docs(['list', '--token', 'abc'], { env: connected })
    expect(code).toBe(2)
    expect(stderr).toContain("unknown option '--token'")
  })

  it('requires a tenant', async () => {
    const { code, stderr } = await docs(['list'], { env: { ...connected, DOCUMENTS_TENANT: '' } })
    expect([code, stderr]).toEqual([2, 'error: no tenant: give --tenant or DOCUMENTS_TENANT\n'])
  })

  it('says how to choose a service if none is named and none is running', async () => {
    const { code, stderr } = await docs(['list', '--tenant', 'acme', '--local', folder])
    expect(code).toBe(3)
    expect(stderr).toContain('no start is running: run "bun run start" first, or give --url')
  })

  it('requires a token for a service that start does not run', async () => {
    const { code, stderr } = await docs([
      'list',
      '--tenant',
      'acme',
      '--url',
      'https://example.com',
      '--local',
      folder,
    ])
    expect(code).toBe(2)
    expect(stderr).toBe('error: no token for this service: give DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE\n')
  })

  it('sends no token unless a service is named', async () => {
    const { code, stderr } = await docs(['list'], { env: { ...connected, DOCUMENTS_URL: '' } })
    expect(code).toBe(2)
    expect(stderr).toBe('error: a token without its service: give --url or DOCUMENTS_URL as well\n')
  })

  it('refuses two tokens at once', async () => {
    const { code, stderr } = await docs(['list'], {
      env: { ...connected, DOCUMENTS_TOKEN_FILE: '/dev/null' },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('are both set')
  })

  it('fails where the token file cannot be read', async () => {
    const { DOCUMENTS_URL, DOCUMENTS_TENANT } = connected
    const env = { DOCUMENTS_URL, DOCUMENTS_TENANT, DOCUMENTS_TOKEN_FILE: join(folder, 'absent') }
    const { code, stderr } = await docs(['list'], { env })
    expect([code, stderr]).toEqual([2, 'error: DOCUMENTS_TOKEN_FILE cannot be read: ENOENT\n'])
  })

  it('fails with the reason and a trace id if no service listens', async () => {
    const { code, stderr } = await docs(['list'], {
      env: { ...connected, DOCUMENTS_URL: 'http://127.0.0.1:9' },
    })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^error: The connection to .* failed \(\w+\)\. \[ConnectionError, trace [0-9a-f]{32}\]\n$/,
    )
  })
})

describe('bun run documents put', () => {
  it('refuses a target without a name', async () => {
    const { code, stderr } = await docs(['put', 'x', 'definitions'], { env: connected })
    expect([code, stderr]).toEqual([2, 'error: "definitions" is not <type>/<name>\n'])
  })

  it('refuses a target that is named twice, and one that is not named', async () => {
    expect(
      (await docs(['put', 'x', 'definitions/x', '--type', 'definitions'], { env: connected })).code,
    ).toBe(2)
    expect((await docs(['put', 'x'], { env: connected })).code).toBe(2)
    expect((await docs(['put', '-', '--type', 'definitions'], { env: connected })).code).toBe(2)
  })

  it('refuses a type, a name or a tenant in a wrong form', async () => {
    expect((await docs(['put', '-', 'Definitions/x'], { env: connected })).code).toBe(2)
    expect((await docs(['put', '-', 'definitions/..'], { env: connected })).code).toBe(2)
    expect((await docs(['put', '-', 'definitions/x', '--tenant', 'a/b'], { env: connected })).code).toBe(2)
  })

  it('fails for a file that is not there, and for a folder', async () => {
    const absent = await docs(['put', 'absent', 'definitions/x'], { env: connected, cwd: folder })
    expect([absent.code, absent.stderr]).toEqual([1, 'error: absent cannot be read: ENOENT\n'])
    const directory = await docs(['put', folder, 'definitions/x'], { env: connected })
    expect(directory.code).toBe(1)
    expect(directory.stderr).toContain('is a folder')
  })
})

describe('bun run documents get', () => {
  it('refuses a text that names no version', async () => {
    expect((await docs(['get', 'definitions'], { env: connected })).code).toBe(2)
    expect((await docs(['get', 'definitions/x@'], { env: connected })).code).toBe(2)
    expect((await docs(['get', 'definitions/x@a@b'], { env: connected })).code).toBe(2)
  })

  it('refuses to mix bytes and JSON on standard output', async () => {
    const { code, stderr } = await docs(['get', 'definitions/x', '-o', '-', '--json'], { env: connected })
    expect(code).toBe(2)
    expect(stderr).toContain('cannot both go to standard output')
  })
})

describe('bun run documents rm', () => {
  it('requires the digest: neither a name nor a tag is enough', async () => {
    expect((await docs(['rm', 'definitions/x', '--yes'], { env: connected })).code).toBe(2)
    expect((await docs(['rm', 'definitions/x@latest', '--yes'], { env: connected })).code).toBe(2)
  })

  it('requires --yes if there is no terminal to ask on', async () => {
    const { code, stderr } = await docs(['rm', `definitions/x@${digest}`], { env: connected })
    expect([code, stderr]).toEqual([2, 'error: this removes a version permanently: add --yes\n'])
  })
})

describe('bun run documents tag', () => {
  it('refuses a digest for a tag that is to be removed', async () => {
    const { code } = await docs(['tag', 'definitions/x', 'production', digest, '--remove'], {
      env: connected,
    })
    expect(code).toBe(2)
  })
})

describe('bun run documents list', () => {
  it('refuses a limit that is not a number of rows', async () => {
    expect((await docs(['list', '--limit', '0'], { env: connected })).code).toBe(2)
    expect((await docs(['list', '--limit', 'all'], { env: connected })).code).toBe(2)
  })

  it('refuses a filter that is neither a type nor the beginning of a name', async () => {
    expect((await docs(['list', 'a/b/c'], { env: connected })).code).toBe(2)
    expect((await docs(['list', '/b'], { env: connected })).code).toBe(2)
  })
})
