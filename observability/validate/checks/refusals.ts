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
export const secretRefusal =
  /SignatureDoesNotMatch|request signature we calculated|InvalidAccessKeyId|AccessDenied|Access Denied|403 Forbidden/
export const bucketRefusal = /NoSuchBucket|[Ss]pecified bucket does not exist|404 Not Found/
