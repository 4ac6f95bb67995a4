import { fileURLToPath } from 'node:url'
import { mustRun } from '../../compose/run-command.ts'
import type { Work } from './comparison.ts'

/**
 * Runs a program of this folder, a process of its own, that prints how much it did and in how many seconds.
 *
 * @param plan passed as the variable of that name, since plans hold credentials.
 * @throws {CommandError} if it fails.
 */
export async function runLoadProgram(file: string, plan: Readonly<Record<string, string>>): Promise<Work> {
  const program = fileURLToPath(new URL(file, import.meta.url))
  const printed = await mustRun([process.execPath, program], {
    env: { PATH: process.env.PATH ?? '', ...plan },
  })
  const [amount = Number.NaN, seconds = Number.NaN] = printed.trim().split(' ').map(Number)
  return { amount, seconds }
}
