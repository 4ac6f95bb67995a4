import { join } from 'node:path'
import { bunImage } from '../../../compose/images/service/pack-image.ts'
import { runCommand } from '../../../compose/run-command.ts'
import { keepPrinted } from '../printed.ts'
import { until } from '../waiting.ts'
import type { LoadReport } from './load-client.ts'
import { printedBy, type SwarmScene } from './swarm-scene.ts'

const container = 'load'
/** It finishes what it has begun, and reads once more what it has stored. */
const lastSecondsMax = 600

export interface Load {
  /** Waits until this many more requests were answered, rightly or not. @throws {Error} after 120 seconds */
  answers(more: number): Promise<void>
  /** Ends it, and says what it has seen. */
  finish(): Promise<LoadReport>
}

/**
 * Starts `load-client.ts` in a container inside the stack's network; it ends with {@link Load.finish}, once it has sent
 * `requestsMin` requests.
 */
export async function startLoad(scene: SwarmScene, requestsMin: number): Promise<Load> {
  const { folder, docker } = scene
  await Bun.build({ entrypoints: [join(import.meta.dir, 'load-client.ts')], target: 'bun', outdir: folder })
  // For longer than all of it takes.
  const exp = Math.floor(Date.now() / 1000) + 3600
  await Bun.write(join(folder, 'load-token'), await scene.issuer.token({ exp }))
  const settings = {
    LOAD_URL: 'https://proxy:8443',
    LOAD_REQUESTS_MIN: requestsMin,
    LOAD_TOKEN_FILE: '/load/load-token',
    NODE_EXTRA_CA_CERTS: '/load/ca.pem',
  }
  const env = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const mounts = ['load-client.js', 'load-token', 'ca.pem'].flatMap((name) => [
    '--volume',
    `${join(folder, name)}:/load/${name}:ro`,
  ])
  const where = ['--name', container, '--network', 'documents_inside', '--user', '0:0']
  await docker('run', '--detach', ...where, ...env, ...mounts, bunImage, '/load/load-client.js')
  const answered = async () => {
    const counts = (await printedBy(scene, container)).matchAll(/^answered (\d+)$/gm)
    return Math.max(0, ...Array.from(counts, ([, count]) => Number(count)))
  }
  return {
    async answers(more) {
      const before = await answered()
      await until(async () => (await answered()) >= before + more, `${more} answers to the load`)
    },

    async finish() {
      await docker('kill', '--signal', 'TERM', container)
      await runCommand(['docker', 'wait', container], { env: scene.engine.env, secondsMax: lastSecondsMax })
      const printed = await printedBy(scene, container)
      keepPrinted('load', printed)
      await docker('rm', '--force', container)
      return JSON.parse(printed.split('\n').find((line) => line.startsWith('{')) ?? '')
    },
  }
}
