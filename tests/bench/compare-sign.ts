import { digestOf } from '../support/service/sample-documents.ts'
import type { Comparison, Side } from './comparison.ts'
import { runLoadProgram } from './load-program.ts'
import type { Signing } from './sign-load.ts'
import type { Stage } from './stage.ts'
import { requestsOf } from './wrk.ts'

/** Signing in one thread, compared with the hashing that cannot be avoided, and with the SDK's own signer of URLs. */
export function compareSign(): Comparison {
  const side = (title: string, signing: Signing): Side => ({
    title,
    run: (seconds) => runLoadProgram('sign-load.ts', { SIGN_PLAN: JSON.stringify({ signing, seconds }) }),
  })
  return {
    operation: 'sign',
    title: 'sign',
    unit: 'signatures',
    sides: [
      side('bare SHA-256 and HMAC', 'hmac'),
      side('headers of a call to the store', 'headers'),
      side('URL of a download', 'url'),
      side('the same by S3RequestPresigner', 'presigner'),
    ],
    targets: [{ side: 'URL of a download', than: 'the same by S3RequestPresigner', rateMin: 1 }],
  }
}

/** Signed downloads by the API, which look whether the version is there, compared with a call that does only that. */
export async function compareSignedDownloads(stage: Stage): Promise<Comparison> {
  const bytes = new TextEncoder().encode('signed')
  const digest = digestOf(bytes)
  const document = '/v1/tenants/acme/documents/bench/signed'
  await stage.upload(document, bytes)
  const version = `${document}/versions/${digest}`
  const load = { connections: 16, origin: stage.service.url, token: stage.token } as const
  const { pid } = stage.service.process
  // Whether the version is there is one HEAD for both; wrk itself can make none.
  const known = { ...load, method: 'GET', paths: [version], ifNoneMatch: `"${digest}"` } as const
  const sign = { ...load, method: 'POST', paths: [`${version}/downloads`] } as const
  return {
    operation: 'sign',
    title: 'signed downloads, 16 connections',
    unit: 'requests',
    sides: [
      { title: '304 after a HEAD', pid, run: (seconds) => requestsOf({ ...known, seconds }, stage.folder) },
      { title: 'signed URL', pid, run: (seconds) => requestsOf({ ...sign, seconds }, stage.folder) },
    ],
    targets: [{ side: 'signed URL', than: '304 after a HEAD', rateMin: 0.8 }],
  }
}
