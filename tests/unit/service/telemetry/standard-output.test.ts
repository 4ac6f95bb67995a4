import { describe, expect, it } from 'bun:test'
import { fileURLToPath } from 'node:url'

const logger = fileURLToPath(new URL('../../../../service/telemetry/logger.ts', import.meta.url))

/** `program` with a logger `log` on standard output, and `audit` that writes a line with this name. */
function programOf(program: string): string {
  return `import { createLogger } from ${JSON.stringify(logger)}
    const log = createLogger({ level: 'info', service: 'documents' })
    const audit = (name) => log.audit({
      decision: 'allowed', rule: 'r', action: 'document.read', name, traceId: 't', correlationId: 'c'
    })
    ${program}`
}

function start(program: string): Bun.Subprocess<'pipe', 'pipe', 'pipe'> {
  const command = [process.execPath, '-e', programOf(program)]
  return Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
}

describe('standard output', () => {
  it('has every audit line when the process dies right after it', async () => {
    const child = start(`for (let i = 0; i < 500; i += 1) audit('n' + i)
      process.kill(process.pid, 'SIGKILL')`)
    const lines = (await new Response(child.stdout).text()).trimEnd().split('\n')
    await child.exited
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(Array.from({ length: 500 }, (_, i) => `n${i}`))
  })

  it('waits for a reader that falls behind, and drops nothing', async () => {
    // Far more than a pipe holds, and `process.stdout` first: it makes the descriptor non-blocking. A shell makes
    // the pipe, because Bun would read ahead of us.
    const source = programOf(`process.stdout.write('{}\\n')
      for (let i = 0; i < 4000; i += 1) audit('n' + i)`)
    const reader = '"$0" -e "$1" | { sleep 0.5; cat; }'
    const shell = Bun.spawn(['sh', '-c', reader, process.execPath, source], { stdout: 'pipe' })
    const lines = (await new Response(shell.stdout).text()).trimEnd().split('\n')
    expect(lines).toHaveLength(4001)
    expect(JSON.parse(lines.at(-1) ?? '').name).toBe('n3999')
  })

  it('fails an audit line, but not a log line, once it is closed', async () => {
    const child = start(`await Bun.stdin.text()
      log.info('no one reads this')
      try { audit('n'); console.error('written') } catch (error) { console.error(error.code) }`)
    await child.stdout.cancel()
    await child.stdin.end()
    expect((await new Response(child.stderr).text()).trim()).toBe('EPIPE')
    expect(await child.exited).toBe(0)
  })
})
