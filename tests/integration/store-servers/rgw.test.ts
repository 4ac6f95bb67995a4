import { describe, expect, it } from 'bun:test'
import { stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { dirname } from 'node:path'
import { freePort, onFreePorts } from '../../../compose/servers/free-port.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { createProbeClient } from '../../../service/object-store/s3/probe-client.ts'
import { folderForTests } from '../../support/folder.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { startPrivateRgw } from '../../support/stores/rgw.ts'
import { startPrivateStore } from '../../support/stores/store.ts'

const startMillisecondsMax = 600_000

describe('startRgw', () => {
  it(
    'keeps keys and objects in its data folder, however it ended',
    async () => {
      const dataDir = await folderForTests('cloudlysis-rgw-kept-')
      const first = await startPrivateRgw({ dataDir })
      const bucket = await freshBucket(first)
      const before = createProbeClient({ ...first, bucket, connectionsMax: 1 })
      expect((await before.send({ method: 'PUT', key: 'kept', body: 'bytes' })).status).toBe(200)
      await first.kill()

      const second = await startPrivateRgw({ dataDir })
      expect([second.accessKeyId, second.secretAccessKey]).toEqual([first.accessKeyId, first.secretAccessKey])
      const after = createProbeClient({ ...second, bucket, connectionsMax: 1 })
      expect((await after.send({ method: 'GET', key: 'kept' })).text).toBe('bytes')
      await second.stop()
      await expect(fetch(second.endpoint)).rejects.toThrow()
      await expect(stat(dirname(second.logFile))).rejects.toThrow()
      await first.stop()
    },
    startMillisecondsMax,
  )

  it(
    'serves https that only its own authority makes trusted',
    async () => {
      const tls = await makeServerTls()
      const rgw = await startPrivateRgw({ tls })
      const connection = { ...rgw, bucket: await freshBucket(rgw), connectionsMax: 1 }
      const put = await createProbeClient(connection).send({ method: 'PUT', key: 'a', body: 'bytes' })
      expect(put.status).toBe(200)
      await expect(fetch(rgw.endpoint)).rejects.toThrow()
      const other = await makeServerTls()
      await expect(fetch(rgw.endpoint, { tls: { ca: other.ca } })).rejects.toThrow()
      await rgw.stop()
    },
    startMillisecondsMax,
  )
})

describe('startMinio', () => {
  it(
    'serves https that only its own authority makes trusted',
    async () => {
      const tls = await makeServerTls()
      const minio = await startPrivateStore({ tls })
      const connection = { ...minio, bucket: await freshBucket(minio), connectionsMax: 1 }
      const put = await createProbeClient(connection).send({ method: 'PUT', key: 'a', body: 'bytes' })
      expect(put.status).toBe(200)
      await expect(fetch(minio.endpoint)).rejects.toThrow()
      await minio.stop()
    },
    startMillisecondsMax,
  )

  it(
    'says that its port is taken in words by which it is tried on another one',
    async () => {
      const holder = createServer((socket) => socket.destroy())
      await new Promise<void>((listening) => holder.listen(0, '127.0.0.1', listening))
      const taken = (holder.address() as AddressInfo).port
      const tried: number[] = []
      const minio = await onFreePorts(async () => {
        const port = tried.length === 0 ? taken : await freePort()
        tried.push(port)
        return startPrivateStore({ port })
      })
      holder.close()
      expect(tried).toHaveLength(2)
      await minio.stop()
    },
    startMillisecondsMax,
  )
})
