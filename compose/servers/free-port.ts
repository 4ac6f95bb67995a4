import { ServerStartError } from './server-process.ts'

const startAttemptsMax = 3
/** The messages of Go, C++, Bun and MinIO. */
const portTaken = /address.{0,20}in use|EADDRINUSE|is port \d+ in use|port is already in use/i

/**
 * Returns free TCP ports of the loopback interface, all different. Nothing reserves them: the server must be ready to
 * find one taken and ask again.
 */
export async function freePorts(count: number): Promise<number[]> {
  // All at once: a port that was given back could be found again.
  const listeners = Array.from({ length: count }, () => listenOn(0))
  const ports = listeners.map(({ port }) => port)
  for (const listener of listeners) listener.stop(true)
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
export async function isPortFree(port: number): Promise<boolean> {
  try {
    listenOn(port).stop(true)
    return true
  } catch {
    return false
  }
}

function listenOn(port: number): Bun.TCPSocketListener {
  return Bun.listen({ hostname: '127.0.0.1', port, exclusive: true, socket: { data() {} } })
}
