/** `bun compose/stacks/up.ts`: brings up the local object store in Docker and says where it is. */

import { withProgress } from '../../service/cli/progress.ts'
import { whyNoDocker } from '../servers/docker-engine.ts'
import { defaultStackFolder } from './compose-project.ts'
import { upObjectStore } from './object-store-stack.ts'

const whyNot = await whyNoDocker()
if (whyNot !== null) {
  console.error(`no usable Docker Engine: ${whyNot}`)
  process.exit(69)
}
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
console.log(`object store ${stack.connection.endpoint}, console ${stack.consoleUrl}`)
console.log(`root's and the service's credentials are files in ${stack.folder}/secrets`)
console.log('stop it: bun compose/stacks/stop.ts (with --remove the data go too)')
