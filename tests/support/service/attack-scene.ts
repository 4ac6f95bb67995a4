import { capabilitiesOf } from '../../../service/object-store/probe/probe.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'
import { encodeKey } from '../../../service/object-store/s3/signed-fetch.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { probedFindings } from '../stores/probed-capabilities.ts'
import { storeForTests } from '../stores/store.ts'
import { keysOf } from '../stores/store-contents.ts'
import { put } from './caller.ts'
import { digestOf, KiB, keyOf, randomDocument } from './sample-documents.ts'
import { type InProcessService, serviceInProcess } from './service-for-tests.ts'
import { type TicketCalls, ticketCalls } from './ticket-calls.ts'

/**
 * A store that two tenants share: the victim `globex` has a document there that nobody else may see, the
 * attacker `mallory` has all rights in `acme`, and knows of the victim what can be known: keys, digest, size.
 */
export interface AttackScene {
  service: InProcessService
  capabilities: StoreCapabilities
  /** The probe found that whoever holds a presigned PUT can copy any object with it. */
  copyHole: boolean
  mallory: TicketCalls
  victim: TicketCalls
  secret: { name: string; bytes: Uint8Array<ArrayBuffer>; digest: string; key: string }
  signer: ReturnType<typeof createS3TransferSigner>
  /** `bucket/key` of the secret, as a copy would name it. */
  copySource: string
  /** What a browser without any signature gets of a key below `docs/`: its status. */
  readAnonymously(key: string): Promise<number>
  /**
   * All that is wrong in the bucket: the secret anywhere but at the victim's, bytes under a digest that they do
   * not have, and versions that are not as they were when they were `remembered`.
   */
  harm(): Promise<string[]>
  /** Takes all versions that there are now for published. */
  remember(): Promise<void>
  stop(): Promise<void>
}

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
  // Not only what is below `docs/`: an attacker may reach beyond.
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
