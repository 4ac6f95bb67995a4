import { afterAll } from 'bun:test'

type Stop = () => unknown

const ofThisProcess: Stop[] = []
const ofThisFile: Stop[] = []

/** Registers a function that stops what several files share; `preload.ts` calls it after the last test of this process. */
export function stopAtTheEnd(stop: Stop): void {
  ofThisProcess.push(stop)
}

/** Stops everything registered for the end of this process, the last one first. */
export function stopAll(): Promise<void> {
  return stopEach(ofThisProcess)
}

/** Returns a server that is stopped after the tests of the file at whose top this is called, before those given earlier. */
export function stoppedAfterTests<Server extends { stop(): unknown }>(server: Server): Server {
  if (ofThisFile.length === 0) afterAll(() => stopEach(ofThisFile), 120_000)
  ofThisFile.push(() => server.stop())
  return server
}

/** Calls all of them, the last one first, also where one fails. @throws {unknown} what the first one threw that failed */
async function stopEach(stops: Stop[]): Promise<void> {
  const failures: unknown[] = []
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
    try {
      await stop()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
