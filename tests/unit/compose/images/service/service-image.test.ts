import { describe, expect, it } from 'bun:test'
import { join, resolve } from 'node:path'
import { serviceImage, serviceInstructions } from '../../../../../compose/images/service/pack-image.ts'
import { npmPackages, sbomText } from '../../../../../compose/images/service/sbom.ts'
import { dependencies, packageManager, version } from '../../../../../package.json'

const folder = resolve(import.meta.dir, '../../../../../compose/images/service')

describe("the Dockerfile of the service's image", () => {
  it('says the same as what packs the image without a registry', async () => {
    const lines = (await Bun.file(join(folder, 'Dockerfile')).text()).split('\n')
    const last = lines.slice(lines.lastIndexOf('FROM scratch'))
    expect(last.filter((line) => /^(USER|ENV|EXPOSE|ENTRYPOINT|CMD|HEALTHCHECK) /.test(line))).toEqual(
      serviceInstructions,
    )
  })

  it('builds with the Bun that is pinned, into the version that is ours', async () => {
    const text = await Bun.file(join(folder, 'Dockerfile')).text()
    expect(text).toContain(`FROM oven/bun:${packageManager.replace('bun@', '')}-debian AS build`)
    expect(text).toContain(`org.opencontainers.image.version="${version}"`)
    expect(text).toContain(`docker build -t ${serviceImage} `)
  })
})

describe('sbomText', () => {
  it('names all that the service depends on, by package URL, and nothing that only develops it', async () => {
    const packages = await npmPackages()
    const names = packages.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)))
    expect(names).not.toContain('typescript')
    const { components } = JSON.parse(
      sbomText(packages, [{ name: 'libc6', version: '2.36-9+deb12u14' }]),
    ) as {
      components: { purl: string }[]
    }
    const purls = components.map(({ purl }) => purl)
    expect(purls).toContain(`pkg:npm/elysia@${dependencies.elysia}`)
    expect(purls).toContain(`pkg:npm/%40noble/hashes@${dependencies['@noble/hashes']}`)
    expect(purls).toContain('pkg:deb/debian/libc6@2.36-9%2Bdeb12u14')
    expect(new Set(purls).size).toBe(purls.length)
  })

  it('is the same text for the same parts', async () => {
    const packages = await npmPackages()
    expect(sbomText(packages, [])).toBe(sbomText(packages.toReversed(), []))
  })
})
