import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun } from '../../compose/run-command.ts'
import type { BarePlan } from './bare-client.ts'
import type { Work } from './comparison.ts'

const program = fileURLToPath(new URL('bare-client.ts', import.meta.url))

type Step = Omit<BarePlan['steps'][number], 'urls'> & { urls: readonly string[] }

/**
 * Runs the bare client, a process of its own.
 *
 * @param folder for the files of addresses, which are credentials.
 * @throws {Error} if the store refused anything.
 */
export async function runBareClient(
  { steps, ...plan }: Omit<BarePlan, 'steps'> & { steps: readonly Step[] },
  folder: string,
): Promise<Work> {
  const written = await Promise.all(
    steps.map(async (step, at) => {
      const urls = join(folder, `bare-${at}`)
      await writeFile(urls, step.urls.join('\n'), { mode: 0o600 })
      return { ...step, urls }
    }),
  )
  const printed = await mustRun([process.execPath, program], {
    env: { PATH: process.env.PATH ?? '', BARE_PLAN: JSON.stringify({ ...plan, steps: written }) },
  })
  const [amount = 0, seconds = 1] = printed.trim().split(' ').map(Number)
  return { amount, seconds }
}
