import { randomCredentials, type StoreCredentials } from '../../../compose/servers/running-store.ts'
import type { LaunchOptions, OwnScene } from '../scene.ts'

/** What is wrong with a launch that the store has to refuse, and in which words it does. */
export interface WrongLaunch {
  name: 'wrong-secret' | 'wrong-bucket'
  options: (scene: OwnScene) => LaunchOptions
  refusal: RegExp
}

/** How stores refuse, in the words of S3 ("Error responses") and of the clients in Loki and Tempo. */
const denied = 'AccessDenied|Access Denied|403 Forbidden'

/** The right key with another secret: what a typing error in a secret file amounts to. */
export const wrongSecret: WrongLaunch = {
  name: 'wrong-secret',
  options: ({ deployment }) => ({ credentials: withAnotherSecret(deployment.store) }),
  refusal: new RegExp(`SignatureDoesNotMatch|request signature we calculated|InvalidAccessKeyId|${denied}`),
}

/** A bucket that does not exist. Where keys reach their own buckets alone, a store does not even admit that. */
export const wrongBucket: WrongLaunch = {
  name: 'wrong-bucket',
  options: ({ marker }) => ({ bucket: `absent-${marker.id}` }),
  refusal: new RegExp(`NoSuchBucket|[Ss]pecified bucket does not exist|404 Not Found|${denied}`),
}

function withAnotherSecret({ accessKeyId }: StoreCredentials): StoreCredentials {
  return { accessKeyId, secretAccessKey: randomCredentials().secretAccessKey }
}
