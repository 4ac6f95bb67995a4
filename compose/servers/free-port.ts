import { createServer } from 'node:net'
import { ServerStartError } from './server-process.ts'

const startAttemptsMax = 3
/** The messages of Go, C++, Bun and MinIO. */
const portTaken = /address.{0,20}in use|EADDRINUSE|is port \d+ in use|port is already in use/i

/**
 * Returns free TCP ports of the loopback interface, all different. Nothing reserves them: the server must be ready to
 * find one taken and ask again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere))
  const ports = servers.map((server) => portOf(server.address()))
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}

/** Returns one free TCP port of the loopback interface. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port ?? 0
}

/**
 * Starts a server on ports that looked free, and again on others if one of them was taken in the meantime, by another
 * server or just by an outgoing connection.
 *
 * @param start asks for free ports each time.
 * @throws what `start` throws, if the cause is another one or the port is taken each time.
 */
export async function onFreePorts<Started>(start: () => Promise<Started>): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      const again = error instanceof ServerStartError && portTaken.test(error.log)
      if (!again || attempt === startAttemptsMax) throw error
    }
  }
}

/** True if no server listens on that port of the loopback interface. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

function listenAnywhere(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return address.port
}
