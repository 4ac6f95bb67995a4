import { parseDigestField } from '../../wire/digest-field.ts'
import type { Digest } from '../../wire/names.ts'
import { ProblemError } from '../problem.ts'

/**
 * Reads the digest that a request declares for its body by `Repr-Digest` or `Content-Digest` (RFC 9530 sections 2 and
 * 3). Both are of the same bytes here: bodies have no coding and are never parts of a document.
 *
 * @returns `undefined` without either of them.
 * @throws {ProblemError} `digest_invalid` for one that is malformed or has no `sha-256`, and for two that differ.
 */
export function declaredDigest(headers: Headers): Digest | undefined {
  const digests = ['Repr-Digest', 'Content-Digest']
    .map((name) => digestIn(name, headers.get(name)))
    .filter((digest) => digest !== undefined)
  if (new Set(digests).size > 1)
    throw new ProblemError('digest_invalid', 'Repr-Digest and Content-Digest name different digests.')
  return digests[0]
}

function digestIn(name: string, header: string | null): Digest | undefined {
  if (header === null) return undefined
  const declared = parseDigestField(header)
  if ('digest' in declared) return declared.digest
  throw new ProblemError('digest_invalid', `${name} cannot be used. ${declared.invalid}`)
}
