/** Preloaded by `bunfig.toml` into every `bun test`: what the tests share is stopped after the last of them. */
import { afterAll } from 'bun:test'
import { stopDockerForTests } from './docker.ts'
import { stopRgwForTests } from './rgw.ts'
import { stopStoreForTests } from './store.ts'

afterAll(async () => {
  await stopStoreForTests()
  await stopRgwForTests()
  await stopDockerForTests()
}, 60_000)
