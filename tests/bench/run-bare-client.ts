import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BarePlan } from './bare-client.ts'
import type { Work } from './comparison.ts'
import { runLoadProgram } from './load-program.ts'

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
  return runLoadProgram('bare-client.ts', { BARE_PLAN: JSON.stringify({ ...plan, steps: written }) })
}
