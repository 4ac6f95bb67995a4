/** `bun compose/stacks/up.ts`: brings up the local object store in Docker and says where it is. */

import { createCommand, exitCodes, runCommand } from '../../service/cli/command.ts'
import { printLine } from '../../service/cli/output.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { requireDocker } from '../servers/docker-engine.ts'
import { defaultStackFolder } from './compose-project.ts'
import { upObjectStore } from './object-store-stack.ts'

const command = createCommand('bun compose/stacks/up.ts', 'Brings up the local object store in Docker.')

await runCommand(command, async () => {
  await requireDocker()
  const stack = await withProgress('object store', (onProgress) =>
    upObjectStore({
      folder: defaultStackFolder,
      project: process.env.COMPOSE_PROJECT_NAME ?? 'cloudlysis',
      apiPort: Number(process.env.MINIO_API_PORT ?? 9000),
      consolePort: Number(process.env.MINIO_CONSOLE_PORT ?? 9001),
      browserOrigins: [process.env.MINIO_API_CORS_ALLOW_ORIGIN ?? 'http://127.0.0.1:8080'],
      env: process.env,
      onProgress,
    }),
  )
  await printLine(`object store ${stack.connection.endpoint}, console ${stack.consoleUrl}`)
  await printLine(`the credentials of root and of the service are files in ${stack.folder}/secrets`)
  await printLine('stop it:  bun compose/stacks/stop.ts (with --remove, which also deletes its data)')
  return exitCodes.done
})
