import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { decidedInProcess } from '../../service/object-store/single-writer.ts'
import { createMemoryObjectStore } from '../support/stores/memory-object-store.ts'
import { unconditional } from '../support/stores/unconditional-object-store.ts'
import { describeObjectStore } from './describe-object-store.ts'

const memory = {
  verifiesSha256: true,
  listsUnfinishedByPrefix: true,
  listsBelowKeys: true,
  ordersByBytes: true,
  racers: 32,
  knowsAbortedUploads: true,
  honoursCopyConditions: true,
  copiesOnce: true,
  keepsKeysFree: true,
  close: async () => {},
}

describeObjectStore('memory', async () => ({ ...memory, store: createMemoryObjectStore() }))

describeObjectStore('memory, under a prefix', async () => ({
  ...memory,
  store: prefixed(createMemoryObjectStore(), 'docs/'),
}))

describeObjectStore('memory without conditions, decided in process', async () => ({
  ...memory,
  // Every write of a key has its turn, from its first byte to its last.
  keepsKeysFree: false,
  store: decidedInProcess(unconditional(createMemoryObjectStore())),
}))
