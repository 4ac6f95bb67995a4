import { describe, expect, it } from 'bun:test'
import { bundleFor } from '../../../support/client/client-runtimes.ts'

describe('the client bundled for browsers', () => {
  it('names no module of a runtime', async () => {
    const bundle = await bundleFor('browser')
    expect(bundle).toContain('createDocumentsClient')
    expect(bundle).not.toMatch(/\bimport\s*[({*"'a-z]|\brequire\s*\(/)
    // Bun fills in a built-in module for browsers with hundreds of kilobytes.
    expect(bundle.length).toBeLessThan(150_000)
  })
})
