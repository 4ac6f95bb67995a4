import { describe, expect, it } from 'bun:test'

const folder = new URL('../../../../service/ui/', import.meta.url).pathname

describe('the README of the UI', () => {
  it('names every module, and none that is not there', async () => {
    const readme = await Bun.file(`${folder}README.md`).text()
    const table = readme.slice(readme.indexOf('## Modules'), readme.indexOf('## What it promises'))
    const named = Array.from(
      table.matchAll(/`([a-z-]+(?:\/[a-z-]+)*\.(?:tsx?|html|svg|css))`/g),
      ([, name]) => name,
    )
    const files = await Array.fromAsync(new Bun.Glob('**/*.{ts,tsx,html,svg}').scan(folder))
    expect(named.filter((name) => name !== 'styles/main.css').toSorted()).toEqual(files.toSorted())
  })

  it('names every style sheet', async () => {
    const readme = await Bun.file(`${folder}README.md`).text()
    const main = await Bun.file(`${folder}styles/main.css`).text()
    const imported = Array.from(main.matchAll(/@import "\.\/([a-z]+)\.css"/g), ([, name]) => `\`${name}\``)
    const sheets = await Array.fromAsync(new Bun.Glob('*.css').scan(`${folder}styles`))
    expect(imported.length + 1).toBe(sheets.length)
    expect(imported.filter((name) => !readme.includes(name))).toEqual([])
  })
})
