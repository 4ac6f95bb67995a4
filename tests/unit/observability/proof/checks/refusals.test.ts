import { describe, expect, it } from 'bun:test'
import { wrongBucket, wrongSecret } from '../../../../../observability/proof/checks/refusals.ts'

describe('a refusal', () => {
  it('the refusal of an absent bucket says that it is absent, or only that access is denied', () => {
    // As Loki and Tempo print it: with keys for every bucket, and with those of an operator's own stack on MinIO.
    expect('err="The specified bucket does not exist"').toMatch(wrongBucket.refusal)
    expect('unexpected error from ListObjects on absent-c08b6fed0a6ceffd: Access Denied.').toMatch(
      wrongBucket.refusal,
    )
    expect('The request signature we calculated does not match').not.toMatch(wrongBucket.refusal)
    expect('dial tcp 127.0.0.1:9000: connect: connection refused').not.toMatch(wrongBucket.refusal)
  })

  it('the refusal of a wrong secret is about the keys, and not about the bucket', () => {
    expect('The request signature we calculated does not match').toMatch(wrongSecret.refusal)
    expect('err="The specified bucket does not exist"').not.toMatch(wrongSecret.refusal)
    expect('dial tcp 127.0.0.1:9000: connect: connection refused').not.toMatch(wrongSecret.refusal)
  })
})
