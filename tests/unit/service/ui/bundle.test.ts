import { describe, expect, it } from 'bun:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { bundleUi, type UiAsset } from '../../../../service/ui/bundle.ts'
import { recordFigure } from '../../../support/figures.ts'

/** Issue 5 of the UI: what a browser loads before anything can be done. */
const firstLoadBytesMax = 150_000

const bundle = await bundleUi()

function asset(name: RegExp): UiAsset {
  const found = bundle.assets.find(({ path }) => name.test(path))
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

function text({ bytes }: UiAsset): string {
  return new TextDecoder().decode(bytes)
}

/** What the page names; that is all that its program loads before it shows anything. */
function firstLoad(): UiAsset[] {
  return bundle.assets.filter(({ path }) => bundle.index.includes(path))
}

function compressed(compress: (bytes: Uint8Array) => Uint8Array): number {
  const page = new TextEncoder().encode(bundle.index)
  return [page, ...firstLoad().map(({ bytes }) => bytes)].reduce(
    (sum, bytes) => sum + compress(bytes).length,
    0,
  )
}

describe('The bundle of the UI', () => {
  it('is less than 150 kB at first load, however it is compressed', () => {
    const [gzip, brotli] = [compressed(gzipSync), compressed(brotliCompressSync)]
    recordFigure('firstLoad', { name: 'with gzip', value: gzip, unit: 'bytes' })
    recordFigure('firstLoad', { name: 'with brotli', value: brotli, unit: 'bytes' })
    expect(firstLoad().length).toBeGreaterThanOrEqual(4)
    expect(gzip).toBeLessThan(firstLoadBytesMax)
    expect(brotli).toBeLessThan(firstLoadBytesMax)
  })

  it('leaves the page of a document and the worker for when they are needed', () => {
    const later = bundle.assets.filter((one) => !firstLoad().includes(one)).map(({ path }) => path)
    expect(later.some((path) => path.includes('document-page'))).toBe(true)
    expect(later.some((path) => path.includes('transfer-worker'))).toBe(true)
    expect(later.some((path) => path.includes('oidc-issuer'))).toBe(false)
  })

  it('names every file by its content, below /assets/', async () => {
    for (const { path } of bundle.assets)
      expect(path).toMatch(/^\/assets\/[a-z-]+-[a-z0-9]{8}\.(js|css|svg)$/)
    const again = await bundleUi()
    expect(again.assets.map(({ path }) => path)).toEqual(bundle.assets.map(({ path }) => path))
  })

  it('has a page without scripts, styles or handlers of its own, as its policy wants', () => {
    expect(bundle.index).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:/i)
  })

  it('loads nothing from elsewhere', () => {
    expect(bundle.index.match(/(?:src|href)="(?!\/)[^"]*"/g)).toBeNull()
    expect(text(asset(/\.css$/))).not.toMatch(/url\((?!["']?data:)|@import|@font-face/)
  })

  it('compiles nothing from text, which its policy forbids', () => {
    for (const one of bundle.assets.filter(({ path }) => path.endsWith('.js'))) {
      expect(text(one)).not.toMatch(/\bnew Function\(|[^.\w]eval\(/)
    }
  })

  it('is made of React for production, and knows where its worker is', () => {
    const program = text(asset(/\/index-.*\.js$/))
    expect(program).toContain(asset(/transfer-worker/).path)
    expect(program).not.toContain('transferWorkerUrl')
    expect(program).not.toContain('act(...)')
  })

  it('touches no storage that outlives the tab', () => {
    for (const { path, bytes } of bundle.assets.filter(({ path }) =>
      /\/(index|document-page|transfer)/.test(path),
    )) {
      const used = new TextDecoder().decode(bytes).match(/localStorage|indexedDB|document\.cookie/g)
      expect([path, used]).toEqual([path, null])
    }
  })
})
