import { startSeaweedfs } from '../../compose/servers/seaweedfs.ts'
import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { registerSecret } from '../servers/secrets.ts'
import { describeObjectStore } from './describe-object-store.ts'
import { s3UnderTest } from './s3-under-test.ts'

describeObjectStore('SeaweedFS, under a prefix', async () => {
  const server = await startSeaweedfs()
  registerSecret(server.secretAccessKey)
  const subject = await s3UnderTest(server)
  const close = async () => {
    await subject.close()
    await server.stop()
  }
  return { ...subject, store: prefixed(subject.store, 'docs/'), close }
})
