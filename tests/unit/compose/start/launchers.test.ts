import { describe, expect, it } from 'bun:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const script = `
  import { launchersEnded } from './compose/start/launchers.ts'
  const ended = launchersEnded(process.env)
  console.log('up')
  setTimeout(() => process.exit(1), 20_000)
  await ended
  console.log('ended')
  process.exit(0)`

/** Runs the script below a shell, below a program that is called `npm exec`, and kills that program alone. */
async function printedAfterKill(signal: 'SIGTERM' | 'SIGKILL'): Promise<string> {
  // The commands after each program keep the shells from becoming that program.
  const launched = `sh -c '"$BUN" -e "$SCRIPT"; true'`
  const child = Bun.spawn(['bash', '-c', `exec -a 'npm exec' sh -c "$LAUNCHED; true"`], {
    cwd: root,
    env: {
      ...process.env,
      ...{ BUN: process.execPath, SCRIPT: script, LAUNCHED: launched, npm_lifecycle_event: 'start' },
    },
    stdout: 'pipe',
  })
  let printed = ''
  const decoder = new TextDecoder()
  for await (const bytes of child.stdout) {
    printed += decoder.decode(bytes)
    if (printed === 'up\n') child.kill(signal)
  }
  return printed
}

describe('launchersEnded', () => {
  it('notices that npx was killed, although bun run and its shell live on', async () => {
    expect(await printedAfterKill('SIGTERM')).toBe('up\nended\n')
    expect(await printedAfterKill('SIGKILL')).toBe('up\nended\n')
  })
})
