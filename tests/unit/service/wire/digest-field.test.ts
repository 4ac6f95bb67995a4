import { describe, expect, it } from 'bun:test'
import { formatDigestField, parseDigestField } from '../../../../service/wire/digest-field.ts'

// SHA-256 of the empty message and of "abc", FIPS 180-4.
const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const base64 = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
const digest = `sha256:${hex}` as const
const digestOfAbc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const headerOfAbc = 'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:'

/** The digest, or `invalid`. */
const read = (header: string) => {
  const parsed = parseDigestField(header)
  return 'digest' in parsed ? parsed.digest : 'invalid'
}

describe('a digest field (RFC 9530)', () => {
  it('is read as the digest that names a version, and written from it', () => {
    expect(read(`sha-256=:${base64}:`)).toBe(digest)
    expect(formatDigestField(digest)).toBe(`sha-256=:${base64}:`)
    expect(read(headerOfAbc)).toBe(digestOfAbc)
    expect(formatDigestField(digestOfAbc)).toBe(headerOfAbc)
  })

  it('may list other algorithms before and after sha-256', () => {
    expect(read(`sha-512=:AAAA:, sha-256=:${base64}:`)).toBe(digest)
    expect(read(`sha-256=:${base64}:,\tunixsum=:AA==:`)).toBe(digest)
  })

  it('may have parameters, and members of any other type', () => {
    expect(read(`sha-256=:${base64}:;q=1;from="a, b"`)).toBe(digest)
    expect(read(`sha-512;weak, sha-256=:${base64}:, id=5, list=(:AA==: token), at=@1659578233`)).toBe(digest)
  })

  it('counts the last value of a key that comes twice (RFC 9651 section 4.2.2)', () => {
    const zeros = `${'A'.repeat(43)}=`
    expect(read(`sha-256=:${zeros}:, sha-256=:${base64}:`)).toBe(digest)
  })

  it('is invalid without sha-256, and in any other form', () => {
    const forms = [
      '',
      'sha-512=:AAAA:',
      `x-sha-256=:${base64}:`,
      `sha-256=${base64}`,
      `sha-256="${base64}"`,
      `SHA-256=:${base64}:`,
      `sha-256=:${hex}:`,
      `sha-256 = :${base64}:`,
      `sha-256=:${base64}: trailing`,
      `sha-256=(:${base64}:)`,
      `sha-256=:${base64}:, id=`,
      'sha-256',
      `sha-256=:${base64}:,`,
      base64,
    ]
    expect(forms.map(read)).toEqual(forms.map(() => 'invalid'))
  })

  it('is invalid if its base64 is malformed or not that of 32 bytes', () => {
    const values = ['AAAA', base64.replace('+', '-'), `A${base64}`, '%%%%']
    expect(values.map((value) => read(`sha-256=:${value}:`))).toEqual(values.map(() => 'invalid'))
  })

  it('says why it cannot be used', () => {
    expect(parseDigestField('sha-512=:AAAA:')).toEqual({
      invalid: 'It has no sha-256 member, the only algorithm that is checked here.',
    })
  })
})
