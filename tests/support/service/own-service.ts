import { afterAll, beforeAll } from 'bun:test'
import { type Caller, callerOf } from './caller.ts'
import { type InProcessOptions, type InProcessService, serviceInProcess } from './service-for-tests.ts'

/** The service of one file of tests. Its members may be used as soon as the first hook or test runs. */
export interface OwnService {
  service: InProcessService
  /** Calls it with a good token: tenant `acme`, all scopes. */
  call: Caller
  /** Calls it without a token. */
  anyone: Caller
}

/** Starts a service in this process before the tests of the file that calls this, and stops it after them. */
export function ownService(options: InProcessOptions = {}): OwnService {
  let started: InProcessService | undefined
  let callers: { call: Caller; anyone: Caller } | undefined
  beforeAll(async () => {
    started = await serviceInProcess(options)
    callers = { call: await callerOf(started), anyone: await callerOf(started, null) }
  }, 600_000)
  afterAll(() => started?.stop())

  function running<Part>(part: Part | undefined): Part {
    if (part === undefined) throw new Error('the service of these tests has not started')
    return part
  }

  return {
    service: new Proxy({} as InProcessService, { get: (_, name) => Reflect.get(running(started), name) }),
    call: async (path, call) => running(callers).call(path, call),
    anyone: async (path, call) => running(callers).anyone(path, call),
  }
}
