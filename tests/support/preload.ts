/** Preloaded by `bunfig.toml` into every `bun test`: stops what the tests share after the last of them. */
import { afterAll } from 'bun:test'
import './kept-logs.ts'
import { stopAll } from './stop-at-the-end.ts'
import { stopDockerForTests } from './stores/docker.ts'
import { stopStoreForTests } from './stores/store.ts'

afterAll(async () => {
  await stopAll()
  await stopStoreForTests()
  await stopDockerForTests()
}, 120_000)
