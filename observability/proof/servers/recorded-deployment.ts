import { ServerStartError } from '../../../compose/servers/server-process.ts'
import type { Deployment, Launch, RunningServer } from '../deployment.ts'
import type { Evidence } from '../evidence.ts'

/**
 * Returns the deployment, with the configuration and the log of every server kept as evidence: `<server>/<name>.yaml`
 * and `<server>/<name>.log`.
 */
export function recordedDeployment(deployment: Deployment, evidence: Evidence): Deployment {
  const started: { launch: Launch; server: RunningServer }[] = []
  const configs: Promise<void>[] = []
  const logFile = ({ server, name }: Launch) => `${server}/${name}.log`

  return {
    kind: deployment.kind,
    store: deployment.store,
    hasOwnStore: deployment.hasOwnStore === true,
    openRoute: () => deployment.openRoute(),

    async start(launch) {
      const onConfig = (config: string) => {
        configs.push(evidence.write(`${launch.server}/${launch.name}.yaml`, config))
        launch.onConfig?.(config)
      }
      try {
        const server = await deployment.start({ ...launch, onConfig })
        started.push({ launch, server })
        return server
      } catch (error) {
        if (error instanceof ServerStartError) await evidence.write(logFile(launch), error.log)
        throw error
      }
    },

    async close() {
      try {
        for (const { launch, server } of started) await evidence.write(logFile(launch), await server.log())
        await Promise.all(configs)
      } finally {
        // A full disk, for example, is no reason to leave containers running.
        await deployment.close()
      }
    },
  }
}
