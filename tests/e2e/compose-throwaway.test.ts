import { afterAll, describe, expect, it } from 'bun:test'
import { GenericContainer, Network, Wait } from 'testcontainers'
import { ensureObjectStoreImage } from '../../compose/images/object-store/image.ts'
import { randomCredentials } from '../../compose/servers/running-store.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { provisionBucket } from '../../service/provisioning/apply.ts'
import { registerSecret } from '../support/secrets.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const place = { bucket: 'throw-away', prefix: 'docs/' }

const env = await dockerForTests()
const image = await withProgress('image', (onProgress) => ensureObjectStoreImage(env, onProgress))
// testcontainers reads these from the environment only; its reaper is an image of its own, not to be had here.
if (env.DOCKER_HOST !== undefined) process.env.DOCKER_HOST = env.DOCKER_HOST
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
// It would ask the default bridge network, which the engine of the tests does not have.
process.env.TESTCONTAINERS_HOST_OVERRIDE = '127.0.0.1'
const credentials = randomCredentials()
registerSecret(credentials.secretAccessKey)
const network = await new Network().start()
const container = await new GenericContainer(image)
  .withNetwork(network)
  .withCopyContentToContainer([
    { content: credentials.accessKeyId, target: '/run/root-user' },
    { content: credentials.secretAccessKey, target: '/run/root-password' },
  ])
  .withEnvironment({
    MINIO_ROOT_USER_FILE: '/run/root-user',
    MINIO_ROOT_PASSWORD_FILE: '/run/root-password',
  })
  .withCommand(['minio', 'server', '--certs-dir', '/tmp/certs', '--address', ':9000', '/data'])
  .withExposedPorts(9000)
  .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000))
  .start()
const endpoint = `http://${container.getHost()}:${container.getMappedPort(9000)}`
const store = { kind: 'minio', endpoint, region: 'us-east-1', ...credentials, forcePathStyle: true }

afterAll(async () => {
  await container?.stop()
  await network?.stop()
})

describe('a throw-away object store in a container', () => {
  it('is set up with the same bucket and rules as every local store', async () => {
    const abort = {
      setting: 'lifecycle',
      shouldBe: 'unfinished-uploads-abort removes unfinished uploads after 1 day',
      done: false,
      harmless: true,
    }
    expect(await provisionBucket(store, place)).toMatchObject([
      { setting: 'bucket', done: true },
      { setting: 'lifecycle', done: true },
      abort,
    ])
    expect(await provisionBucket(store, place)).toMatchObject([abort])
  })

  it('refuses a wrong secret key', async () => {
    const { secretAccessKey } = randomCredentials()
    const attempt = provisionBucket({ ...store, secretAccessKey }, place)
    await expect(attempt).rejects.toMatchObject({ code: 'denied' })
  })
})
