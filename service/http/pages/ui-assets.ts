import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { UiAsset } from '../../ui/bundle.ts'
import { chooseCoding } from '../headers/accept-encoding.ts'

/** In the order of our preference. */
type Coding = 'br' | 'gzip'
type Bytes = Uint8Array<ArrayBuffer>

/** A file of the UI in all codings that make it smaller. */
export interface CodedAsset {
  contentType: string
  identity: Bytes
  coded: ReadonlyMap<Coding, Bytes>
}

/** Its name holds a hash of its content: under this name it is never anything else. */
const cacheForEver = 'public, max-age=31536000, immutable'

/**
 * Compresses once what is served often, outside of the thread that answers.
 *
 * Brotli at 9, not 11: measured on 212 kB of script, 25 ms against 290 ms for 8 % fewer bytes, and every process
 * does it anew. Revisit if the first load comes near its 150 kB.
 */
export async function codedAsset({ contentType, bytes }: UiAsset): Promise<CodedAsset> {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants
  const params = { [BROTLI_PARAM_QUALITY]: 9, [BROTLI_PARAM_SIZE_HINT]: bytes.byteLength }
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params }),
    promisify(gzip)(bytes, { level: 9 }),
  ])
  const all: [Coding, Bytes][] = [
    ['br', br as Bytes],
    ['gzip', gz as Bytes],
  ]
  const smaller = all.filter(([, coded]) => coded.byteLength < bytes.byteLength)
  return { contentType, identity: bytes, coded: new Map(smaller) }
}

/** Answers GET and HEAD in the coding that suits the client best. */
export function assetAnswer(
  asset: CodedAsset,
  request: Request,
  headers: Readonly<Record<string, string>>,
): Response {
  const { contentType, identity, coded } = asset
  const coding = chooseCoding(request.headers.get('accept-encoding'), [...coded.keys()])
  const bytes = coding === 'identity' ? identity : coded.get(coding)
  return new Response(bytes, {
    headers: {
      ...headers,
      'content-type': contentType,
      'cache-control': cacheForEver,
      vary: 'Accept-Encoding',
      ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
    },
  })
}
