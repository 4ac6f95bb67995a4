/** Preloaded by `bunfig.toml` into every `bun test`: what the tests share is stopped after the last of them. */
import { afterAll } from 'bun:test'
import { stopStoreForTests } from './store.ts'

afterAll(stopStoreForTests)
