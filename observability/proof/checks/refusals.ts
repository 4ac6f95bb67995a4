import { randomCredentials, type StoreCredentials } from '../../../compose/servers/running-store.ts'
import type { OwnScene } from '../scene.ts'

/** The right key with another secret: what a typing error in a secret file comes to. */
export function wrongCredentials({ deployment }: OwnScene): StoreCredentials {
  return { accessKeyId: deployment.store.accessKeyId, secretAccessKey: randomCredentials().secretAccessKey }
}

/** A name that nobody has. */
export function absentBucket({ marker }: OwnScene): string {
  return `absent-${marker.id}`
}

/** How stores refuse, in the words of S3 (Error Responses) and of the clients in Loki and Tempo. */
const denied = 'AccessDenied|Access Denied|403 Forbidden'
export const secretRefusal = new RegExp(
  `SignatureDoesNotMatch|request signature we calculated|InvalidAccessKeyId|${denied}`,
)
/** Where keys reach their own buckets alone, a store does not even say that there is no other one. */
export const bucketRefusal = new RegExp(
  `NoSuchBucket|[Ss]pecified bucket does not exist|404 Not Found|${denied}`,
)
