/**
 * `bun compose/stacks/gate.ts [folder]`: proves on the running object store, from inside its compose network, that
 * it is what the service is promised. One line per sentence; exit code 1 if one does not hold.
 */

import { requireDocker } from '../servers/docker-engine.ts'
import { defaultStackFolder } from './compose-project.ts'
import { gateChecks } from './gate-checks.ts'
import { openObjectStoreStack } from './object-store-stack.ts'

await requireDocker()
const stack = await openObjectStoreStack(process.argv[2] ?? defaultStackFolder, process.env)
const bucket = process.env.S3_BUCKET_DOCS ?? 'cloudlysis-docs'
const foreignBucket = process.env.S3_BUCKET_LOKI ?? 'cloudlysis-loki'
let broken = 0
for (const { sentence, check } of gateChecks(stack, bucket, foreignBucket)) {
  const seen = await check()
  console.log(seen === null ? `✓ ${sentence}` : `✗ ${sentence}: ${seen}`)
  if (seen !== null) broken++
}
process.exit(broken === 0 ? 0 : 1)
