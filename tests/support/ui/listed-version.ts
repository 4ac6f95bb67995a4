import type { ListedVersion } from '../../../service/wire/answers.ts'

/** Returns a version of one byte as a listing shows it; `digit` makes up its digest. */
export function listedVersion(name: string, digit: string, rest: Partial<ListedVersion> = {}): ListedVersion {
  const digest = `sha256:${digit.repeat(64)}` as const
  const at = '2026-11-25T10:00:00Z'
  return { tenant: 'acme', type: 'definitions', name, digest, size: 1, storedAt: at, ...rest }
}
