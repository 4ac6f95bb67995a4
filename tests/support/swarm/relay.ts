import { connect, createServer, type Socket } from 'node:net'

/** A TCP port that passes everything on, until it is switched off. */
export interface Relay {
  port: number
  /** Away, it closes what is open and refuses what comes. */
  setAway(away: boolean): void
  stop(): Promise<void>
}

/** Listens on `host` and passes every connection on to 127.0.0.1:`port`. */
export async function startRelay(host: string, port: number): Promise<Relay> {
  const open = new Set<Socket>()
  let away = false
  const server = createServer((client) => {
    if (away) return void client.destroy()
    const upstream = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((listening, refused) => {
    server.once('error', refused)
    server.listen(0, host, listening)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: address.port,
    setAway: (now) => {
      away = now
      if (away) cut()
    },
    stop: async () => {
      cut()
      await new Promise((closed) => server.close(closed))
    },
  }
}
