import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { docs } from '../support/commands/cli-run.ts'
import { folderForTests } from '../support/folder.ts'

const digest = `sha256:${'0'.repeat(64)}`
/** Any address would do: these command lines are refused before anything is sent. */
const connected = { DOCUMENTS_URL: 'http://127.0.0.1:9', DOCUMENTS_TOKEN: 'abc', DOCUMENTS_TENANT: 'acme' }

const folder = await folderForTests('cli-usage-')

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

  it('says how to choose a service if none is named and none is running', async () => {
    const { code, stderr } = await docs(['list', '--tenant', 'acme', '--local', folder])
    expect(code).toBe(3)
    expect(stderr).toContain('no start is running: run "bun run start" first, or give --url')
  })

  it('fails with the reason and a trace id if no service listens', async () => {
    const { code, stderr } = await docs(['list'], {
      env: { ...connected, DOCUMENTS_URL: 'http://127.0.0.1:9' },
    })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^error: The connection to .* failed \(\w+: [a-z ]+\)\. \[ConnectionError, trace [0-9a-f]{32}\]\n$/,
    )
  })

  it('fails for a file that is not there, and for a folder', async () => {
    const absent = await docs(['put', 'absent', 'definitions/x'], { env: connected, cwd: folder })
    expect([absent.code, absent.stderr]).toEqual([1, 'error: absent cannot be read: ENOENT\n'])
    const directory = await docs(['put', folder, 'definitions/x'], { env: connected })
    expect(directory.code).toBe(1)
    expect(directory.stderr).toContain('is a folder')
  })
})

describe('a wrong command line of bun run documents', () => {
  const away = ['--url', 'https://example.com', '--local', folder]
  const nowhere = { DOCUMENTS_TOKEN: '', DOCUMENTS_URL: '' }
  const message: [what: string, args: string[], says: string, env?: Record<string, string>][] = [
    ['a flag that it does not know', ['list', '--token', 'abc'], "unknown option '--token'"],
    [
      'no tenant',
      ['list'],
      'error: no tenant: give --tenant or DOCUMENTS_TENANT\n',
      { DOCUMENTS_TENANT: '' },
    ],
    [
      'no token for a service that start does not run',
      ['list', ...away],
      'error: no token for this service: give DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE\n',
      nowhere,
    ],
    [
      'a token without its service',
      ['list'],
      'error: a token without its service: give --url or DOCUMENTS_URL as well\n',
      { DOCUMENTS_URL: '' },
    ],
    [
      'a token that would leave this machine in plain http',
      ['list'],
      'error: url must be https: over plain http the token would be readable on its way\n',
      { DOCUMENTS_URL: 'http://documents:8080' },
    ],
    ['two tokens at once', ['list'], 'are both set', { DOCUMENTS_TOKEN_FILE: '/dev/null' }],
    [
      'a token file that cannot be read',
      ['list'],
      'error: DOCUMENTS_TOKEN_FILE cannot be read: ENOENT\n',
      { DOCUMENTS_TOKEN: '', DOCUMENTS_TOKEN_FILE: join(folder, 'absent') },
    ],
    [
      'a target of put without a name',
      ['put', 'x', 'definitions'],
      'error: "definitions" is not <type>/<name>\n',
    ],
    [
      'to get bytes and JSON on standard output',
      ['get', 'definitions/x', '-o', '-', '--json'],
      'cannot both go to standard output',
    ],
    [
      'rm without --yes if there is no terminal to ask on',
      ['rm', `definitions/x@${digest}`],
      'error: this removes a version permanently: add --yes\n',
    ],
  ]
  it.each(message)('is refused with exit code 2 and the reason: %s', async (_what, args, says, env = {}) => {
    const { code, stderr } = await docs(args, { env: { ...connected, ...env } })
    expect(code).toBe(2)
    if (says.startsWith('error: ')) expect(stderr).toBe(says)
    else expect(stderr).toContain(says)
  })

  it.each([
    ['a target of put that is named twice', ['put', 'x', 'definitions/x', '--type', 'definitions']],
    ['a target of put that is not named', ['put', 'x']],
    ['standard input without a name', ['put', '-', '--type', 'definitions']],
    ['a type in a wrong form', ['put', '-', 'Definitions/x']],
    ['a name in a wrong form', ['put', '-', 'definitions/..']],
    ['a tenant in a wrong form', ['put', '-', 'definitions/x', '--tenant', 'a/b']],
    ['to get what has no name', ['get', 'definitions']],
    ['to get an empty version', ['get', 'definitions/x@']],
    ['to get two versions', ['get', 'definitions/x@a@b']],
    ['rm of a name without a digest', ['rm', 'definitions/x', '--yes']],
    ['rm of a tag', ['rm', 'definitions/x@latest', '--yes']],
    ['a digest for a tag that is to be removed', ['tag', 'definitions/x', 'production', digest, '--remove']],
    ['a limit of no rows', ['list', '--limit', '0']],
    ['a limit that is no number', ['list', '--limit', 'all']],
    ['a filter of more than type and name', ['list', 'a/b/c']],
    ['a filter without a type', ['list', '/b']],
  ])('is refused with exit code 2: %s', async (_what, args) => {
    expect((await docs(args, { env: connected })).code).toBe(2)
  })
})
