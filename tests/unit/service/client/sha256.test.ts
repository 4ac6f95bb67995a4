import { describe, expect, it } from 'bun:test'
import { createSha256, digestOf, portable } from '../../../../service/client/sha256.ts'
import { bytesOf } from '../../../support/client/client-service.ts'

/** FIPS 180-4 examples: the empty message and "abc". */
const ofNothing = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const ofAbc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('createSha256', () => {
  it('hashes the FIPS 180-4 examples', () => {
    expect(createSha256().digest()).toBe(ofNothing)
    expect(digestOf(bytesOf('abc'))).toBe(ofAbc)
  })

  it('gives the same for pieces as for the whole', () => {
    const hash = createSha256()
    hash.update(bytesOf('a'))
    hash.update(new Uint8Array())
    hash.update(bytesOf('bc'))
    expect(hash.digest()).toBe(ofAbc)
  })
})

describe('portable, the hash for browsers', () => {
  it('hashes the FIPS 180-4 examples', () => {
    expect(portable().digest()).toBe(ofNothing)
    const hash = portable()
    hash.update(bytesOf('ab'))
    hash.update(bytesOf('c'))
    expect(hash.digest()).toBe(ofAbc)
  })

  it('agrees with the native hash over a megabyte', () => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536))
    const [native, other] = [createSha256(), portable()]
    for (let round = 0; round < 16; round++) {
      native.update(bytes)
      other.update(bytes)
    }
    expect(other.digest()).toBe(native.digest())
  })
})
