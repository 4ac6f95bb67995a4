import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { rgwForTests } from '../servers/rgw.ts'
import { describeObjectStore } from './describe-object-store.ts'
import { s3UnderTest } from './s3-under-test.ts'

describeObjectStore('Ceph RGW', async () => s3UnderTest(await rgwForTests()))

describeObjectStore('Ceph RGW, under a prefix', async () => {
  const subject = await s3UnderTest(await rgwForTests())
  return { ...subject, store: prefixed(subject.store, 'docs/') }
})
