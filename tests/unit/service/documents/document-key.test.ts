import { describe, expect, it } from 'bun:test'
import {
  digestHex,
  digestOfHex,
  latestKey,
  listPrefix,
  parseVersionKey,
  stagingKey,
  tagKey,
  tagsPrefix,
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

  it('puts a tag next to the versions, not among them', () => {
    expect(tagKey(ref, 'v1.4.0')).toBe('tenants/acme/tags/deployment-bundles/orders-api.tgz/v1.4.0')
    expect(latestKey(ref)).toBe('tenants/acme/tags/deployment-bundles/orders-api.tgz/latest')
    expect(tagsPrefix(ref)).toBe('tenants/acme/tags/deployment-bundles/orders-api.tgz/')
  })

  it('puts unfinished uploads into staging, which a lifecycle rule empties', () => {
    expect(stagingKey('acme', 'a7c1')).toBe('staging/acme/a7c1')
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

  it('reads no version from any other key', () => {
    const others = [
      '',
      hex,
      `tenants/acme/tags/definitions/a/latest`,
      `tenants/acme/tags/definitions/a/${hex}`,
      `tenants/acme/documents/definitions/a/${hex}/more`,
      `tenants/acme/documents/definitions/${hex}`,
      `tenants/acme/documents//a/${hex}`,
      `tenants//documents/definitions/a/${hex}`,
      `tenants/acme/documents/definitions/a/${hex.toUpperCase()}`,
      `tenants/acme/documents/definitions/a/${hex.slice(1)}`,
      `docs/tenants/acme/documents/definitions/a/${hex}`,
      `staging/acme/${hex}`,
    ]
    expect(others.map((key) => parseVersionKey(key))).toEqual(others.map(() => null))
  })

  it('writes the digest without its algorithm', () => {
    expect(digestHex(`sha256:${hex}`)).toBe(hex)
    expect(digestOfHex(hex)).toBe(`sha256:${hex}`)
  })
})
