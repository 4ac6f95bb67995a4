import { describe, expect, it } from 'bun:test'
import { verifyRights } from '../../../service/provisioning/verify.ts'
import { callerOf, put } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { type ServiceForTests, serviceInChild } from '../../support/service/service-for-tests.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { docsPrefix } from '../../support/stores/service-key.ts'

const { service } = await ownService()
const child = stoppedAfterTests(await serviceInChild())

/** Whose key the service itself signs with, as anyone can read in its downloads. */
async function signingKeyOf(of: ServiceForTests): Promise<string | undefined> {
  const call = await callerOf(of)
  const { digest } = await put(call, 'bundles/signed', 'bytes')
  const answer = await call(`bundles/signed/versions/${digest}/downloads`, { method: 'POST' })
  const { url } = (await answer.json()) as { url: string }
  return new URL(url).searchParams.get('X-Amz-Credential')?.split('/')[0]
}

describe('the key of a service in a test', () => {
  it('is used by the service, in this process and as a process of its own', async () => {
    expect(await signingKeyOf(service)).toBe(service.connection.accessKeyId)
    expect(await signingKeyOf(child)).toBe(child.connection.accessKeyId)
  })

  it('has the rights of the table and no others, except on SeaweedFS, which has no rights', async () => {
    for (const { connection, owner } of [service, child]) {
      const place = { bucket: connection.bucket, prefix: docsPrefix }
      const tried = await verifyRights({ ...connection, connectionsMax: 4 }, place, [])
      const wrong = tried.filter(({ held }) => !held)
      if (connection.kind === 'seaweedfs') expect(connection.accessKeyId).toBe(owner.accessKeyId)
      else expect(wrong).toEqual([])
      expect(tried.length).toBeGreaterThan(20)
    }
  })
})
