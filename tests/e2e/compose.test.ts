import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { freePorts } from '../../compose/servers/free-port.ts'
import { upObjectStore } from '../../compose/stacks/object-store-stack.ts'
import { until } from '../../observability/proof/until.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { createDocumentsClient } from '../../service/client/client.ts'
import { type ComposedDocuments, upComposedDocuments } from '../support/commands/composed-documents.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { digestOf, KiB, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const setupMilliseconds = 900_000
const browserOrigins = ['http://127.0.0.1:8080', 'https://ui.example']

const env = await dockerForTests()
// A path and a password with everything that could end a quotation.
const folder = await folderForTests('cloudlysis\'s "$HOME"-compose-')
const rootPassword = ['it\'s "quoted" \\n $HOME `id`', 'and a second line of it']
await mkdir(join(folder, 'secrets'), { mode: 0o700 })
await writeFile(join(folder, 'secrets/minio-root-password'), rootPassword.join('\n'))
for (const line of rootPassword) registerSecret(line)
const [apiPort = 0, consolePort = 0] = await freePorts(2)
const project = `cloudlysis-test-${process.pid}`
const stack = await withProgress('object store', (onProgress) =>
  upObjectStore({ folder, project, apiPort, consolePort, browserOrigins, env, onProgress }),
)
registerSecret(stack.connection.secretAccessKey)

afterAll(async () => {
  keepPrinted('compose', (await stack?.compose(['logs', '--no-color']))?.stdout ?? '')
  await stack?.remove()
})

/** A client of the store with the service's keys, or with others in place of them. */
function clientWith(keys: { accessKeyId?: string; secretAccessKey?: string } = {}): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.connection
  const credentials = { accessKeyId, secretAccessKey, ...keys }
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true })
}

describe('the compose stack of the object store, on a real Docker Engine', () => {
  it('publishes the ports of MinIO on loopback only', async () => {
    const { stdout } = await stack.compose(['ps', '--format', '{{.Ports}}', 'minio'])
    const published = stdout.split(',').filter((port) => port.includes('->'))
    expect(published).toHaveLength(2)
    expect(published.filter((port) => !port.trim().startsWith('127.0.0.1:'))).toEqual([])
  })

  it('allows the pages of the configured origins to use the store, and no others', async () => {
    // As a browser asks before it sends a form (Fetch standard, "CORS-preflight fetch").
    const isAllowed = async (origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' }
      const answer = await fetch(`${stack.connection.endpoint}/cloudlysis-docs`, {
        method: 'OPTIONS',
        headers,
      })
      await answer.body?.cancel()
      return answer.headers.has('access-control-allow-origin')
    }
    for (const origin of browserOrigins)
      expect({ origin, is: await isAllowed(origin) }).toEqual({ origin, is: true })
    expect(await isAllowed('https://elsewhere.example')).toBeFalse()
  })

  it("gives the service's keys its own bucket and no other, and refuses wrong keys", async () => {
    const list = (bucket: string, keys = {}) =>
      clientWith(keys).send(new ListObjectsV2Command({ Bucket: bucket }))
    expect((await list('cloudlysis-docs')).$metadata.httpStatusCode).toBe(200)
    await expect(list('cloudlysis-loki')).rejects.toMatchObject({ name: 'AccessDenied' })
    const secretAccessKey = 'wrong-secret-access-key'
    const accessKeyId = 'unknown-access-key'
    const wrongSecret = list('cloudlysis-docs', { secretAccessKey })
    await expect(wrongSecret).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    const unknownKey = list('cloudlysis-docs', { accessKeyId })
    await expect(unknownKey).rejects.toMatchObject({ name: 'InvalidAccessKeyId' })
  })

  it('shows no secret in what Docker reports about the containers', async () => {
    const reported = await stack.inspect()
    expect(reported).toContain('/run/secrets/minio_root_password')
    for (const name of [
      'minio-root-user',
      'minio-root-password',
      's3-access-key-id',
      's3-secret-access-key',
    ]) {
      // As it would stand in JSON.
      const value = JSON.stringify(await secret(name)).slice(1, -1)
      expect({ name, shown: reported.includes(value) }).toEqual({ name, shown: false })
    }
  })

  it('has a rule that removes objects that are staged for longer than a day', async () => {
    const root = clientWith({
      accessKeyId: await secret('minio-root-user'),
      secretAccessKey: await secret('minio-root-password'),
    })
    const { Rules } = await root.send(
      new GetBucketLifecycleConfigurationCommand({ Bucket: 'cloudlysis-docs' }),
    )
    expect(Rules).toMatchObject([
      { Status: 'Enabled', Filter: { Prefix: 'docs/staging/' }, Expiration: { Days: 1 } },
    ])
  })

  it('takes a new secret for the service at the next setup, and then refuses the old one', async () => {
    const old = stack.connection.secretAccessKey
    const rotated = old.split('').reverse().join('')
    registerSecret(rotated)
    await Bun.write(join(folder, 'secrets/s3-secret-access-key'), rotated)
    const setup = await stack.compose(['run', '--rm', '-T', '--no-deps', 'minio-init'])
    expect(setup).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('object store is set up') })
    const head = new HeadBucketCommand({ Bucket: 'cloudlysis-docs' })
    expect((await clientWith({ secretAccessKey: rotated }).send(head)).$metadata.httpStatusCode).toBe(200)
    await expect(clientWith({ secretAccessKey: old }).send(head)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    })
  })

  it('keeps its objects when it is stopped and started again', async () => {
    const client = clientWith({ secretAccessKey: await secret('s3-secret-access-key') })
    const object = { Bucket: 'cloudlysis-docs', Key: 'docs/kept' }
    await client.send(new PutObjectCommand({ ...object, Body: 'kept' }))
    await stack.stop()
    expect((await stack.compose(['up', '--detach', '--wait', 'minio'])).exitCode).toBe(0)
    const { Body } = await client.send(new GetObjectCommand(object))
    expect(await Body?.transformToString()).toBe('kept')
  })

  it('serves its console on a loopback port', async () => {
    const page = await fetch(stack.consoleUrl)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>MinIO Console</title>')
  })
})

describe('the document service next to the store, by the steps of the README', () => {
  let composed: ComposedDocuments

  beforeAll(async () => {
    composed = await upComposedDocuments(stack, env)
    registerSecret(await secret('ticket-signing-key'))
  }, setupMilliseconds)

  afterAll(() => composed?.stop())

  it('takes documents, and returns them by digest, also straight from the store', async () => {
    const { url, issuer } = composed
    const transfers = { ticketBytesMin: MiB }
    const documents = createDocumentsClient({ url, tenant: 'acme', token: await issuer.token(), transfers })
    const ref = { type: 'snapshots', name: 'composed' }
    const small = randomDocument(KiB)
    expect(await documents.put(ref, small)).toMatchObject({ created: true, via: 'service' })
    // There are tickets once the service has probed the store.
    const large = await until(30, async () => {
      const bytes = randomDocument(2 * MiB)
      return (await documents.put(ref, bytes)).via === 'ticket' ? bytes : null
    })
    if (large === null) throw new Error('there was no ticket')
    const read = await documents.getBytes({ ...ref, digest: digestOf(small) })
    expect(digestOf(read.bytes)).toBe(digestOf(small))
    const direct = await documents.get({ ...ref, digest: digestOf(large) }, { direct: true })
    expect(direct.via).toBe('store')
    expect(digestOf(await new Response(direct.stream).bytes())).toBe(digestOf(large))
  })

  it('runs without root, on a read-only file system, without capabilities or a way to gain them', async () => {
    const [one] = JSON.parse(await inspected())
    expect(one.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      RestartPolicy: { Name: 'unless-stopped' },
    })
    expect(one.HostConfig.Memory).toBeGreaterThan(0)
    const status = await Bun.file(`/proc/${one.State.Pid}/status`).text()
    expect(status).toMatch(/^Uid:\s+([1-9]\d*)\s+\1\s+\1\s+\1$/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
  })

  it('shows Docker none of its secrets', async () => {
    const told = await inspected()
    expect(told).toContain('TICKET_SIGNING_KEY_FILE=/run/secrets/ticket_signing_key')
    for (const name of ['s3-access-key-id', 's3-secret-access-key', 'ticket-signing-key']) {
      const value = await secret(name)
      expect(value.length).toBeGreaterThan(16)
      expect({ name, shown: told.includes(value) }).toEqual({ name, shown: false })
    }
  })

  it('keeps the audit log in a volume of its own, and out of the log of the container', async () => {
    const [one] = JSON.parse(await inspected())
    const mount = one.Mounts.find(({ Destination }: { Destination: string }) => Destination === '/audit')
    expect(mount).toMatchObject({ Type: 'volume', RW: true })
    const audit = await Bun.file(join(mount.Source, 'audit.jsonl')).text()
    const kinds = audit
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind)
    expect(new Set(kinds)).toEqual(new Set(['audit']))
    const { stdout } = await runCommand(['docker', 'logs', composed.container], { env })
    expect(stdout).toContain('"event":"request.answered"')
    expect(stdout).not.toContain('"kind":"audit"')
  })

  it('answers on loopback, and on no other address of this machine', async () => {
    const { port } = new URL(composed.url)
    const answered = (host: string) =>
      fetch(`http://${host}:${port}/readyz`).then(
        ({ status }) => status,
        ({ code }) => code,
      )
    expect(await answered('127.0.0.1')).toBe(200)
    expect(await answered(composed.otherAddress)).toBe('ECONNREFUSED')
  })

  const inspected = () => mustRun(['docker', 'inspect', composed.container], { env })
})

function secret(name: string): Promise<string> {
  return Bun.file(join(folder, 'secrets', name)).text()
}
