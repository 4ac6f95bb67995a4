import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { mustRun } from '../../compose/run-command.ts'
import { versionKey } from '../../service/documents/document-key.ts'
import type { Comparison, Work } from './comparison.ts'
import type { Stage } from './stage.ts'

const program = fileURLToPath(new URL('send-file.ts', import.meta.url))
const MiB = 2 ** 20
const size = 64 * MiB
/** A round is so many uploads on each connection, however long they take. */
const uploadsPerConnection = 2

/**
 * One file of 64 MiB under a new name each time, sent by a Bun process of its own (wrk builds bodies in Lua's
 * memory). With `Repr-Digest` the service streams to the final key; without it, it stages and promotes: the
 * bytes are then written twice and read once.
 */
export async function compareLargePut(stage: Stage, connections: number): Promise<Comparison> {
  const file = await stage.randomFile('put-large', size)
  const hash = new Bun.CryptoHasher('sha256').update(await Bun.file(file).bytes())
  const digest = hash.digest()
  const version = `sha256:${digest.toString('hex')}` as const
  const authorization = `Bearer ${stage.token}`
  const reprDigest = `sha-256=:${digest.toString('base64')}:`
  const { versityGw } = await stage.gateways()
  const { pid } = stage.service.process

  async function work(
    origin: string,
    type: string,
    pathOf: (name: string) => string,
    headers: object,
  ): Promise<Work> {
    const names = Array.from({ length: connections * uploadsPerConnection }, () =>
      randomBytes(8).toString('hex'),
    )
    const plan = { urls: names.map((name) => origin + pathOf(name)), file, connections, headers }
    const printed = await mustRun([process.execPath, program], {
      env: { PATH: process.env.PATH ?? '', SEND_PLAN: JSON.stringify(plan) },
    })
    for (const name of names) {
      await stage.bucket.delete(stage.fullKey(versionKey({ tenant: 'acme', type, name, digest: version })))
    }
    return { amount: (names.length * size) / MiB, seconds: Number(printed) }
  }
  const keyOf = (name: string) => versionKey({ tenant: 'acme', type: 'bench-store', name, digest: version })
  const pathOf = (name: string) => `/v1/tenants/acme/documents/bench-large/${name}`
  const { url } = stage.service
  return {
    operation: 'put',
    title: `PUT 64 MiB, ${connections} connection${connections === 1 ? '' : 's'}`,
    unit: 'MiB',
    sides: [
      {
        title: 'store',
        run: () => work(stage.storeOrigin, 'bench-store', (name) => stage.signedPath('PUT', keyOf(name)), {}),
      },
      {
        title: 'service, with a digest',
        pid,
        run: () => work(url, 'bench-large', pathOf, { authorization, 'repr-digest': reprDigest }),
      },
      { title: 'service, without', pid, run: () => work(url, 'bench-large', pathOf, { authorization }) },
      {
        title: 'VersityGW',
        pid: versityGw.pid,
        run: () =>
          work(versityGw.origin, 'bench-store', (name) => versityGw.signedPath('PUT', keyOf(name)), {}),
      },
    ],
    targets: [{ side: 'service, with a digest', than: 'store', rateMin: 0.8 }],
  }
}
