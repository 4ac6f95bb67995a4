import { afterAll } from 'bun:test'
import { type Caller, callerOf } from './caller.ts'
import { type InProcessOptions, type InProcessService, serviceInProcess } from './service-for-tests.ts'

/** The service of one file of tests. */
export interface OwnService {
  service: InProcessService
  /** Calls it with a good token: tenant `acme`, all scopes. */
  call: Caller
  /** Calls it without a token. */
  anyone: Caller
}

/** Starts a service in this process for the file of tests that calls this, and stops it after its tests. */
export async function ownService(options: InProcessOptions = {}): Promise<OwnService> {
  const service = await serviceInProcess(options)
  afterAll(() => service.stop())
  return { service, call: await callerOf(service), anyone: await callerOf(service, null) }
}
