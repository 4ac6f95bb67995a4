/**
 * The service on an object store in its own memory: what HTTP, authentication, audit and log cost by themselves. It listens
 * on PORT of the loopback interface; the rest of its environment is that of the real one.
 */
import { parseConfig } from '../../service/config/config.ts'
import { createService } from '../../service/create-service.ts'
import { minioCapabilities } from '../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../support/stores/memory-object-store.ts'

const config = await parseConfig(Bun.env, (path) => {
  throw new Error(`no variable of the bench names a file, least of all ${path}`)
})
const service = await createService(config, {
  store: createMemoryObjectStore({ delay: async () => {} }),
  capabilities: () => minioCapabilities,
  ui: null,
})
service.start()
