import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { freePorts } from '../../compose/servers/free-port.ts'
import { type ObjectStoreStack, upObjectStore } from '../../compose/stacks/object-store-stack.ts'
import { until } from '../../observability/proof/until.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { createDocumentsClient } from '../../service/client/client.ts'
import { type ComposedDocuments, upComposedDocuments } from '../support/commands/composed-documents.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { digestOf, KiB, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const setupMilliseconds = 900_000
const browserOrigins = ['http://127.0.0.1:8080', 'https://ui.example']
const gate = resolve(import.meta.dir, '../../compose/stacks/gate.ts')

let stack: ObjectStoreStack
let env: Record<string, string | undefined>
let folder: string

beforeAll(async () => {
  env = await dockerForTests()
  folder = await mkdtemp(join(tmpdir(), 'cloudlysis-compose-'))
  const [apiPort = 0, consolePort = 0] = await freePorts(2)
  const project = `cloudlysis-test-${process.pid}`
  stack = await withProgress('object store', (onProgress) =>
    upObjectStore({ folder, project, apiPort, consolePort, browserOrigins, env, onProgress }),
  )
  registerSecret(stack.connection.secretAccessKey)
  registerSecret(await Bun.file(join(folder, 'secrets/minio-root-password')).text())
}, setupMilliseconds)

afterAll(async () => {
  keepPrinted('compose', (await stack?.compose(['logs', '--no-color']))?.stdout ?? '')
  await stack?.remove()
  await rm(folder, { recursive: true, force: true })
}, 60_000)

function runGate(extra: Record<string, string> = {}) {
  return runCommand([process.execPath, gate, folder], { env: { ...env, ...extra } })
}

function clientWith(secretAccessKey: string): S3Client {
  const { endpoint, region, accessKeyId } = stack.connection
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
}

describe('the compose stack of the object store, on a real Docker Engine', () => {
  it('passes the gate: right credentials work in the compose network, wrong ones are refused', async () => {
    const { exitCode, stdout, stderr } = await runGate()
    expect(`${stdout}${stderr}`).not.toContain('✗')
    expect(stdout.split('\n').filter((line) => line.startsWith('✓'))).toHaveLength(9)
    expect(exitCode).toBe(0)
  }, 120_000)

  it('fails the gate, and says where, if the key of the service reached a bucket that is not its own', async () => {
    const { exitCode, stdout } = await runGate({ S3_BUCKET_LOKI: 'cloudlysis-docs' })
    const broken = stdout.split('\n').filter((line) => line.startsWith('✗'))
    expect(broken).toEqual(["✗ the service's key does not reach bucket cloudlysis-docs: listed"])
    expect(exitCode).toBe(1)
  }, 120_000)

  it('removes what is staged longer than a day', async () => {
    const root = {
      accessKeyId: await secret('minio-root-user'),
      secretAccessKey: await secret('minio-root-password'),
    }
    const { endpoint, region } = stack.connection
    const client = new S3Client({ endpoint, region, credentials: root, forcePathStyle: true })
    const { Rules } = await client.send(
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
    expect(setup.exitCode).toBe(0)
    const head = new HeadBucketCommand({ Bucket: 'cloudlysis-docs' })
    expect((await clientWith(rotated).send(head)).$metadata.httpStatusCode).toBe(200)
    await expect(clientWith(old).send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } })
  }, 60_000)

  it('keeps its objects when it is stopped and started again', async () => {
    const client = clientWith(await secret('s3-secret-access-key'))
    const object = { Bucket: 'cloudlysis-docs', Key: 'docs/kept' }
    await client.send(new PutObjectCommand({ ...object, Body: 'kept' }))
    await stack.stop()
    expect((await stack.compose(['up', '--detach', '--wait', 'minio'])).exitCode).toBe(0)
    const { Body } = await client.send(new GetObjectCommand(object))
    expect(await Body?.transformToString()).toBe('kept')
  }, 60_000)

  it('serves its console on a loopback port', async () => {
    const page = await fetch(stack.consoleUrl)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>MinIO Console</title>')
  })
})

describe('the document service beside it, by the steps of the README', () => {
  let composed: ComposedDocuments

  beforeAll(async () => {
    composed = await upComposedDocuments(stack, env)
    registerSecret(await secret('ticket-signing-key'))
  }, setupMilliseconds)

  afterAll(() => composed?.stop())

  it('takes documents, and gives them back by digest, also straight from the store', async () => {
    const { url, issuer } = composed
    const transfers = { ticketBytesMin: MiB }
    const documents = createDocumentsClient({ url, tenant: 'acme', token: await issuer.token(), transfers })
    const ref = { type: 'snapshots', name: 'composed' }
    const small = randomDocument(KiB)
    expect(await documents.put(ref, small)).toMatchObject({ created: true, via: 'service' })
    // Tickets are given once the service has asked the store what it is.
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
  }, 60_000)

  it('runs without root, on a read-only file system, without a capability or a way to one', async () => {
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

  it('is reached on loopback, and by no other address of this machine', async () => {
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
