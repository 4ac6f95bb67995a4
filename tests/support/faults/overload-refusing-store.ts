import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { StoreForTests } from '../stores/service-key.ts'
import { startStoreProxy } from '../stores/strict-proxy.ts'

/** What happens to a request: the store refuses it after so many bytes, or its answer is lost. */
export type Fault = { refusedAfterBytes: number } | 'answer lost' | null

export interface FaultyStore extends StoreForTests {
  /** Request lines that came, such as `PUT /bucket/key HTTP/1.1`. */
  requests: string[]
  stop(): Promise<void>
}

const refusal = (status: string) =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>`

/**
 * Starts a store that refuses in the middle of a request, or does its work and then answers 503, in front of the store
 * of the run. Requests for which `faultOf` returns `null` pass unchanged.
 */
export async function startFaultyStore(
  store: StoreForTests,
  faultOf: (requestLine: string) => Fault,
): Promise<FaultyStore> {
  const requests: string[] = []
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => client.destroy())
    client.once('data', (first: Buffer) => {
      const line = first.toString('latin1').split('\r\n')[0] ?? ''
      requests.push(line)
      const fault = faultOf(line)
      if (fault === null || fault === 'answer lost') passOn(client, first, store, fault !== null)
      else refuseAfter(client, first, fault.refusedAfterBytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  // In front of it, so that each connection carries one request.
  const proxy = await startStoreProxy({ ...store, endpoint: `http://127.0.0.1:${address.port}` }, {})
  return {
    ...proxy,
    requests,
    async stop() {
      await proxy.stop()
      server.close()
    },
  }
}

function passOn(client: Socket, first: Buffer, { endpoint }: StoreConnection, answerLost: boolean): void {
  const { hostname, port } = new URL(endpoint)
  const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  upstream.on('error', () => client.destroy())
  client.on('close', () => upstream.destroy())
  upstream.write(first)
  client.pipe(upstream)
  if (!answerLost) return void upstream.pipe(client)
  // The store has finished once it has answered.
  upstream.resume()
  upstream.on('end', () => client.end(refusal('503 Service Unavailable')))
}

function refuseAfter(client: Socket, first: Buffer, bytesMax: number): void {
  let bytes = first.length
  let refused = false
  const refuseIfEnough = () => {
    if (bytes < bytesMax || refused) return
    refused = true
    client.end(refusal('429 Too Many Requests'))
  }
  client.on('data', (data: Buffer) => {
    bytes += data.length
    refuseIfEnough()
  })
  refuseIfEnough()
}
