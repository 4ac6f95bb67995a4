import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { storeForTests } from '../servers/store.ts'
import { describeObjectStore } from './describe-object-store.ts'
import { s3UnderTest } from './s3-under-test.ts'

describeObjectStore('MinIO', async () => s3UnderTest(await storeForTests()))

describeObjectStore('MinIO, under a prefix', async () => {
  const subject = await s3UnderTest(await storeForTests())
  return { ...subject, store: prefixed(subject.store, 'docs/') }
})
