/** Preloaded by `bunfig.toml` into every `bun test`: what the tests share is stopped after the last of them. */
import { afterAll } from 'bun:test'
import { stopSwarmServers } from '../swarm/swarm-servers.ts'
import { stopDockerForTests } from './docker.ts'
import { stopStoreForTests } from './store.ts'

afterAll(async () => {
  await stopStoreForTests()
  await stopDockerForTests()
  await stopSwarmServers()
}, 120_000)
