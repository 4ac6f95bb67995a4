import { capabilitiesOf } from '../../../service/object-store/probe/probe.ts'
import { encodeKey } from '../../../service/object-store/s3/request-signer.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { probedFindings } from '../stores/probed-capabilities.ts'
import { storeForTests } from '../stores/store.ts'
import { keysOf } from '../stores/store-contents.ts'
import { put } from './caller.ts'
import { digestOf, KiB, keyOf, randomDocument } from './sample-documents.ts'
import { type InProcessService, serviceInProcess } from './service-for-tests.ts'
import { type TicketCalls, ticketCalls } from './ticket-calls.ts'

/**
 * A store that two tenants share. The victim `globex` has a document there that no one else may see; the attacker `mallory`
 * has all rights in `acme`, and knows keys, digest and size of that document.
 */
export interface AttackScene {
  service: InProcessService
  capabilities: StoreCapabilities
  /** Whether the probe found that the holder of a presigned PUT can copy any object with it. */
  copyHole: boolean
  mallory: TicketCalls
  victim: TicketCalls
  secret: { name: string; bytes: Uint8Array<ArrayBuffer>; digest: string; key: string }
  signer: ReturnType<typeof createS3TransferSigner>
  /** `/bucket/key` of the secret document, as a copy would name it. */
  copySource: string
  /** Reads a key below `docs/` without any signature and returns the status. */
  readAnonymously(key: string): Promise<number>
  /**
   * Returns all that is wrong in the bucket: the secret anywhere except at its own key, bytes under a digest that they do
   * not have, and versions that differ from when they were remembered.
   */
  harm(): Promise<string[]>
  /** Remembers all versions of now as those that {@link harm} expects. */
  remember(): Promise<void>
  stop(): Promise<void>
}

/** Creates the scene on the store of this run. */
export async function attackScene(): Promise<AttackScene> {
  const findings = await probedFindings(await storeForTests())
  const capabilities = capabilitiesOf(findings)
  const copyHole = findings.some(({ id, verdict }) => id === 'presigned-put-copy' && verdict === 'no')
  const service = await serviceInProcess({ capabilities })
  const { connection, owner } = service
  const mallory = await ticketCalls(service, await service.token({ sub: 'mallory' }))
  const victim = await ticketCalls(service, await service.token({ sub: 'victor', tenants: ['globex'] }))
  const bytes = randomDocument(2 * KiB)
  const digest = digestOf(bytes)
  await put(victim.call, '/v1/tenants/globex/documents/bundles/secret', bytes)
  const key = `docs/${keyOf('bundles', 'secret', digest, 'globex')}`
  const signer = createS3TransferSigner({
    ...connection,
    connectionsMax: 1,
    publicEndpoint: connection.endpoint,
  })
  // Of the whole bucket: an attacker may reach keys outside `docs/`.
  const bucket = createS3ObjectStore({ ...owner, connectionsMax: 4 })
  let remembered = new Map<string, string>()

  async function versions(): Promise<{ seen: Map<string, string>; wrong: string[] }> {
    const seen = new Map<string, string>()
    const wrong: string[] = []
    for (const each of await keysOf(bucket, '')) {
      const object = await bucket.get(each)
      if (object === null) continue
      const found = digestOf(new Uint8Array(await new Response(object.body).arrayBuffer()))
      if (found === digest && each !== key) wrong.push(`the secret lies under ${each}`)
      if (!each.startsWith('docs/')) wrong.push(`something was written to ${each}`)
      if (!each.includes('/documents/')) continue
      if (!each.endsWith(found.slice('sha256:'.length))) wrong.push(`other bytes lie under ${each}`)
      seen.set(each, JSON.stringify([found, object.contentType, object.metadata]))
    }
    return { seen, wrong }
  }

  const scene: AttackScene = {
    ...{ service, capabilities, copyHole, mallory, victim, signer },
    secret: { name: 'secret', bytes, digest, key },
    copySource: `/${connection.bucket}/${key}`,
    async readAnonymously(of) {
      const response = await fetch(`${connection.endpoint}/${connection.bucket}/${encodeKey(`docs/${of}`)}`)
      await response.body?.cancel()
      return response.status
    },
    async remember() {
      remembered = (await versions()).seen
    },
    async harm() {
      const { seen, wrong } = await versions()
      for (const [each, was] of remembered) {
        const is = seen.get(each)
        if (is !== was) wrong.push(`${each} was ${was} and is ${is}`)
      }
      return wrong
    },
    async stop() {
      signer.close()
      bucket.close()
      await service.stop()
    },
  }
  await scene.remember()
  return scene
}
