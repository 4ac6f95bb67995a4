import { readFileSync } from 'node:fs'
import { ConfigError, parseStoreConfig } from '../../service/config/config.ts'
import type { Environment } from '../../service/config/source.ts'
import { probeCors } from '../../service/object-store/probe/bucket.ts'
import { createScratch } from '../../service/object-store/probe/scratch.ts'

/** One question to the store; `start` waits for it. */
const answerSecondsMax = 5

/**
 * What browsers cannot do with this store, in one line, `null` where they can all that the UI does: it then sends
 * and fetches through the service.
 *
 * @param store its `S3_*` variables; what is wrong with them the service says better.
 * @param origin where the UI comes from.
 */
export async function browsersRefused(store: Environment, origin: string): Promise<string | null> {
  try {
    const { s3, docs } = await parseStoreConfig(store, (path) => readFileSync(path, 'utf8'))
    const connection = {
      ...s3,
      endpoint: s3.publicEndpoint,
      bucket: docs.bucket,
      accessKeyId: s3.accessKeyId.reveal(),
      secretAccessKey: s3.secretAccessKey.reveal(),
    }
    const scratch = createScratch(connection, docs.prefix, { answerSecondsMax, origin })
    const { verdict, seen } = await probeCors(scratch)
    await scratch.cleanUp()
    return verdict === 'yes' ? null : `the store lets no page of ${origin} in (CORS: ${seen})`
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}
