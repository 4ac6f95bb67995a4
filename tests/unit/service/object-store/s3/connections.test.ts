import { describe, expect, it } from 'bun:test'
import {
  divideS3Connections,
  type LentConnection,
  type S3Connections,
} from '../../../../../service/object-store/s3/connections.ts'

const ownerOf = (key: string) => {
  const [tenant = '', holds = 'other'] = key.split('/')
  return { tenant, holds: holds as 'version' | 'staged' | 'other' }
}
/** Two connections for each kind of use. */
const divided = () => divideS3Connections(8, ownerOf).tenants

const reading = (tenant: string, holds = 'version') =>
  ({ operation: 'get', key: `${tenant}/${holds}`, body: 'read', signal: undefined }) as const
const calling = (tenant: string) => ({ operation: 'head', key: `${tenant}/version`, signal: undefined })

interface Reader {
  connection: LentConnection
  givenUp: boolean
}

/** Begins a read whose connection is given back when it is asked for. */
async function read(connections: S3Connections, tenant: string, holds?: string): Promise<Reader> {
  const { lend, release } = await connections.acquire(reading(tenant, holds))
  const reader: Reader = { connection: {} as LentConnection, givenUp: false }
  reader.connection = lend(() => {
    reader.givenUp = true
    release()
  })
  return reader
}

describe('divided connections to the store', () => {
  it('are at most as many as were allowed, all kinds together', async () => {
    for (const most of [8, 9, 16, 64, 256]) {
      const { tenants, reserved } = divideS3Connections(most, ownerOf)
      let held = 0
      const takeAll = async (connections: S3Connections, body?: 'read' | 'written') => {
        const taken = Array.from({ length: most }, (_, tenant) =>
          connections
            .acquire({ operation: 'any', key: `${tenant}/version`, body, signal: AbortSignal.timeout(20) })
            .then(
              () => 1,
              () => 0,
            ),
        )
        const granted = await Promise.all(taken)
        held += granted.reduce<number>((sum, one) => sum + one, 0)
      }
      await Promise.all([
        takeAll(tenants),
        takeAll(tenants, 'read'),
        takeAll(tenants, 'written'),
        takeAll(reserved),
      ])
      expect(held).toBe(most)
    }
  })

  it('leave one for the upload of another tenant', async () => {
    const connections = divided()
    const writing = (tenant: string) =>
      ({
        operation: 'put',
        key: `${tenant}/version`,
        body: 'written',
        signal: AbortSignal.timeout(50),
      }) as const
    await connections.acquire(writing('acme'))
    await expect(connections.acquire(writing('acme'))).rejects.toThrow()
    await connections.acquire(writing('globex'))
  })

  it('keep calls apart from bodies', async () => {
    const connections = divided()
    await read(connections, 'acme')
    await read(connections, 'acme')
    expect(await connections.use(calling('acme'), async () => 'answered')).toBe('answered')
  })

  it('are taken from the reader that has not moved for longest, of the tenant that holds too much', async () => {
    const connections = divided()
    const [slow, fast] = [await read(connections, 'acme'), await read(connections, 'acme')]
    slow.connection.movedAt = 1
    await read(connections, 'globex')
    expect([slow.givenUp, fast.givenUp]).toEqual([true, false])
  })

  it('are taken from a reader of the same tenant only if it has paused', async () => {
    const connections = divided()
    const [paused, moving] = [await read(connections, 'acme'), await read(connections, 'acme')]
    moving.connection.isPaused = false
    moving.connection.movedAt = 1
    paused.connection.movedAt = 2
    await read(connections, 'acme')
    expect([paused.givenUp, moving.givenUp]).toEqual([true, false])
  })

  it('are left to downloads while promotions wait for each other', async () => {
    const connections = divided()
    await read(connections, 'acme', 'staged')
    const wanted = { ...reading('acme', 'staged'), signal: AbortSignal.timeout(50) }
    await expect(connections.acquire(wanted)).rejects.toThrow()
    await read(connections, 'globex')
  })

  it('are not taken from bodies that the service itself moves', async () => {
    const connections = divided()
    const staged = await read(connections, 'acme', 'staged')
    const own = await read(connections, 'acme')
    staged.connection.movedAt = 1
    await read(connections, 'globex')
    expect([staged.givenUp, own.givenUp]).toEqual([false, true])
  })
})
