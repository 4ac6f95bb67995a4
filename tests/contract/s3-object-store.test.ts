import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { chosenStore, storeForTests, testStores } from '../support/stores/store.ts'
import { describeObjectStore } from './describe-object-store.ts'
import { s3UnderTest } from './s3-under-test.ts'

const { title } = testStores[chosenStore()]

describeObjectStore(title, async () => s3UnderTest(await storeForTests()))

describeObjectStore(`${title}, under a prefix`, async () => {
  const subject = await s3UnderTest(await storeForTests())
  return { ...subject, store: prefixed(subject.store, 'docs/') }
})
