import { stoppedAfterTests } from '../stop-at-the-end.ts'
import { type Caller, callerOf } from './caller.ts'
import {
  type InProcessOptions,
  type InProcessService,
  type SpawnedService,
  serviceInChild,
  serviceInProcess,
} from './service-for-tests.ts'

/** The service of one file of tests, with what calls it. */
export interface OwnService<Service> {
  service: Service
  /** A good token: tenant `acme`, all scopes. */
  token: string
  /** Calls it with that token. */
  call: Caller
  /** Calls it without a token. */
  anyone: Caller
}

/** Starts a service in this process at the top of a file, and stops it after the tests of that file. */
export async function ownService(options: InProcessOptions = {}): Promise<OwnService<InProcessService>> {
  return withCallers(await serviceInProcess(options))
}

/** Starts a service as a process of its own at the top of a file, and stops it after the tests of that file. */
export async function ownChildService(
  options: Parameters<typeof serviceInChild>[0] = {},
): Promise<OwnService<SpawnedService>> {
  return withCallers(await serviceInChild(options))
}

async function withCallers<Service extends InProcessService | SpawnedService>(
  service: Service,
): Promise<OwnService<Service>> {
  stoppedAfterTests(service)
  const token = await service.token()
  return { service, token, call: await callerOf(service, token), anyone: await callerOf(service, null) }
}
