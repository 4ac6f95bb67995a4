/**
 * Runs the service as a separate process that assumes a store without digest checks, so that completions stream. Prints
 * its address and a token as one line of JSON, and stops when its standard input ends.
 */
import { minioCapabilities } from '../stores/known-capabilities.ts'
import { serviceInProcess } from './service-for-tests.ts'

const service = await serviceInProcess({ capabilities: { ...minioCapabilities, digestEnforced: false } })
process.stdout.write(`${JSON.stringify({ url: service.url, token: await service.token() })}\n`)
for await (const _ of Bun.stdin.stream()) {
  // Nothing is said there.
}
await service.stop()
process.exit(0)
