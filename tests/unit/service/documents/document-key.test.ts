import { describe, expect, it } from 'bun:test'
import {
  archiveListKey,
  deletionKey,
  digestHex,
  digestOfHex,
  leaseKey,
  listPrefix,
  ownerOfKey,
  parseDeletionKey,
  parseRecordKey,
  parseTagRowKey,
  parseVersionKey,
  recordKey,
  stagingKey,
  taggedPrefix,
  tagRowKey,
  versionKey,
  versionsPrefix,
} from '../../../../service/documents/document-key.ts'

const hex = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const ref = { tenant: 'acme', type: 'deployment-bundles', name: 'orders-api.tgz' }
const version = { ...ref, digest: `sha256:${hex}` as const }

/** These texts are in every bucket that was ever written: a change here loses documents. */
describe('the key scheme', () => {
  it('puts a version below its tenant, type and name', () => {
    const key = `tenants/acme/documents/deployment-bundles/orders-api.tgz/${hex}`
    expect(versionKey(version)).toBe(key)
    expect(versionsPrefix(ref)).toBe('tenants/acme/documents/deployment-bundles/orders-api.tgz/')
    expect(parseVersionKey(key)).toEqual(version)
  })

  it('puts the record of a document next to its versions, not among them', () => {
    const key = 'tenants/acme/records/deployment-bundles/orders-api.tgz'
    expect(recordKey(ref)).toBe(key)
    expect(parseRecordKey(key)).toEqual(ref)
  })

  it('puts a row of the index of tags where one listing finds all names that have the tag', () => {
    const key = 'tenants/acme/tagged/deployment-bundles/production/orders-api.tgz/a7c1'
    const tag = { ...ref, tag: 'production' }
    expect(tagRowKey(tag, 'a7c1')).toBe(key)
    expect(parseTagRowKey(key)).toEqual({ ref: tag, row: 'a7c1' })
    const { tenant, type } = ref
    expect(taggedPrefix({ tenant, type, tag: 'production' })).toBe(
      'tenants/acme/tagged/deployment-bundles/production/',
    )
    expect(taggedPrefix({ tenant, type, tag: 'production', namePrefix: 'orders' })).toBe(
      'tenants/acme/tagged/deployment-bundles/production/orders',
    )
    for (const other of [
      recordKey(ref),
      versionKey(version),
      `${key}/more`,
      key.slice(0, -5),
      key.slice(0, -4),
    ])
      expect(parseTagRowKey(other)).toBeNull()
  })

  it('notes a deletion that is under way outside of the tenants, where one listing finds them all', () => {
    const key = `deletions/acme/deployment-bundles/orders-api.tgz/${hex}`
    expect(deletionKey(version)).toBe(key)
    expect(parseDeletionKey(key)).toEqual(version)
  })

  it('puts unfinished uploads into staging, which a lifecycle rule empties', () => {
    expect(stagingKey('acme', 'a7c1')).toBe('staging/acme/a7c1')
    expect(leaseKey('acme', 'a7c1')).toBe('staging/acme/a7c1.lease')
    expect(archiveListKey('acme', 'a7c1')).toBe('staging/acme/a7c1.archive')
  })

  it('lists by tenant, by type, by the beginning of a name, and by one name', () => {
    const { tenant, type, name } = ref
    expect(listPrefix({ tenant })).toBe('tenants/acme/documents/')
    expect(listPrefix({ tenant, type })).toBe('tenants/acme/documents/deployment-bundles/')
    expect(listPrefix({ tenant, type, namePrefix: 'orders' })).toBe(
      'tenants/acme/documents/deployment-bundles/orders',
    )
    expect(listPrefix({ tenant, type, name })).toBe(versionsPrefix(ref))
  })

  it('says on whose behalf a key is used', () => {
    expect(ownerOfKey(versionKey(version))).toEqual({ tenant: 'acme', holds: 'version' })
    expect(ownerOfKey(listPrefix({ tenant: 'acme' }))).toMatchObject({ tenant: 'acme' })
    const staged = [leaseKey('acme', 'a7c1'), archiveListKey('acme', 'a7c1')]
    for (const key of [recordKey(ref), deletionKey(version), ...staged]) {
      expect(ownerOfKey(key)).toEqual({ tenant: 'acme', holds: 'other' })
    }
    expect(ownerOfKey(stagingKey('acme', 'a7c1'))).toEqual({ tenant: 'acme', holds: 'staged' })
    for (const key of ['', 'tenants/', 'deletions/', 'foreign/acme']) {
      expect(ownerOfKey(key)).toEqual({ tenant: '', holds: 'other' })
    }
  })

  it('reads no version from any other key', () => {
    const others = [
      '',
      hex,
      `tenants/acme/records/definitions/a`,
      `tenants/acme/records/definitions/a/${hex}`,
      `deletions/acme/definitions/a/${hex}`,
      `tenants/acme/documents/definitions/a/${hex}/more`,
      `tenants/acme/documents/definitions/${hex}`,
      `tenants/acme/documents//a/${hex}`,
      `tenants//documents/definitions/a/${hex}`,
      `tenants/acme/documents/definitions/a/${hex.toUpperCase()}`,
      `tenants/acme/documents/definitions/a/${hex.slice(1)}`,
      `docs/tenants/acme/documents/definitions/a/${hex}`,
      `staging/acme/${hex}`,
      `tenants/Acme/documents/definitions/a/${hex}`,
      `tenants/acme/documents/Quarterly Reports/a/${hex}`,
      `tenants/acme/documents/definitions/.hidden/${hex}`,
    ]
    expect(others.map((key) => parseVersionKey(key))).toEqual(others.map(() => null))
  })

  it('reads no record from any other key', () => {
    const others = [
      'tenants/acme/records/definitions',
      'tenants/acme/records/definitions/',
      'tenants/acme/records/definitions/a/b',
      'tenants//records/definitions/a',
      'tenants/acme/documents/definitions/a',
      'records/acme/definitions/a',
      'tenants/acme/records/definitions/a copy',
    ]
    expect(others.map((key) => parseRecordKey(key))).toEqual(others.map(() => null))
  })

  it('reads no deletion from any other key', () => {
    const others = [
      `deletions/acme/definitions/${hex}`,
      `deletions/acme/definitions/a/${hex}/more`,
      `deletions/acme/definitions/a/${hex.slice(1)}`,
      `tenants/acme/documents/definitions/a/${hex}`,
      `deletions/acme/definitions/a copy/${hex}`,
    ]
    expect(others.map((key) => parseDeletionKey(key))).toEqual(others.map(() => null))
  })

  it('writes the digest without its algorithm', () => {
    expect(digestHex(`sha256:${hex}`)).toBe(hex)
    expect(digestOfHex(hex)).toBe(`sha256:${hex}`)
  })
})
