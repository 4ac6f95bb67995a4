import type { Command } from 'commander'
import { createCommand, exitCodes, runCommand } from '../command.ts'
import { printLine } from '../output.ts'
import { parsePort } from '../values.ts'
import { chooseStart, type LocalStart, localFolder, readLocalStarts } from './starts.ts'

/** Commands that print one thing made with the key of a running start: `bun run token` and `bun run link`. */

interface WhichStart {
  port?: number
  local: string
}

/** Creates such a command, with the flags that choose the start. */
export function localCommand(name: string, description: string): Command {
  return createCommand(name, description)
    .option('--port <port>', 'port of the start, if several run (or PORT)', parsePort, portFromEnvironment())
    .option('--local <folder>', 'where start keeps its state', localFolder)
}

/** Runs it: prints what `make` returns for the chosen start, alone on standard output. */
export function runLocalCommand<Options extends object>(
  command: Command,
  make: (start: LocalStart, options: Options) => Promise<string>,
): Promise<void> {
  return runCommand<Options & WhichStart>(command, async (options) => {
    const start = chooseStart(await readLocalStarts(options.local), options.port)
    await printLine(await make(start, options))
    return exitCodes.done
  })
}

function portFromEnvironment(): number | undefined {
  const port = Number(Bun.env.PORT)
  return Number.isInteger(port) && port > 0 ? port : undefined
}
