import { describe, expect, it } from 'bun:test'
import { manifestText, withPaths } from '../../../../service/wire/archive.ts'
import type { Digest } from '../../../../service/wire/names.ts'

/** A version whose digest begins with these digits and continues with zeros, up to those at its end. */
const version = (name: string, start: string, end = ''): { type: string; name: string; digest: Digest } => ({
  type: 'definitions',
  name,
  digest: `sha256:${start}${end.padStart(64 - start.length, '0')}`,
})
const pathsOf = (...versions: ReturnType<typeof version>[]) => withPaths(versions).map(({ path }) => path)

describe('withPaths', () => {
  it('names a version after its document', () => {
    expect(pathsOf(version('a', '1'), version('b', '1'))).toEqual(['definitions/a', 'definitions/b'])
  })

  it('adds twelve digits of the digest to all versions of a document of which there are several', () => {
    expect(pathsOf(version('a', 'aa'), version('b', '1'), version('a', 'bb'))).toEqual([
      'definitions/a@aa0000000000',
      'definitions/b',
      'definitions/a@bb0000000000',
    ])
  })

  it('adds all digits where twelve do not tell the versions apart', () => {
    const alike = [version('a', 'a'.repeat(12), '1'), version('a', 'a'.repeat(12), '2')] as const
    expect(pathsOf(...alike)).toEqual(alike.map(({ digest }) => `definitions/a@${digest.slice(7)}`))
  })
})

describe('manifestText', () => {
  it('names each version with its path and size, in a form that stays the same', () => {
    const { type, name, digest } = version('a', '1')
    const archived = { size: 5, digest, name, type, path: 'definitions/a', tenant: 'acme' }
    expect(manifestText([archived])).toBe(
      `{"documents":[{"path":"definitions/a","type":"definitions","name":"a","digest":"${digest}","size":5}]}\n`,
    )
  })
})
