import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { name, version } from '../../../package.json'
import type { DebianPackage } from './debian-packages.ts'
import type { NpmPackage } from './npm-packages.ts'

/**
 * What the image is made of, as a CycloneDX 1.6 document in JSON: the packages that are compiled in, Bun, and the
 * Debian packages of its libraries. The same parts give the same text.
 */
export function sbomText(npm: readonly NpmPackage[], debian: readonly DebianPackage[]): string {
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: new Models.Component(Enums.ComponentType.Container, name, { version, bomRef: name }),
    }),
  })
  for (const part of npm) bom.components.add(npmComponent(part))
  for (const part of debian) bom.components.add(debianComponent(part))
  bom.components.add(
    new Models.Component(Enums.ComponentType.Platform, 'bun', {
      version: Bun.version,
      ...identity(`pkg:npm/bun@${Bun.version}`),
    }),
  )
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

function npmComponent({ name, version, license }: NpmPackage): Models.Component {
  // Package URL specification: the scope's @ is percent-encoded.
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const component = new Models.Component(Enums.ComponentType.Library, name, { version, ...identity(purl) })
  if (license !== undefined) component.licenses.add(new Models.LicenseExpression(license))
  return component
}

function debianComponent({ name, version }: DebianPackage): Models.Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}`
  return new Models.Component(Enums.ComponentType.Library, name, { version, ...identity(purl) })
}

function identity(purl: string): { purl: string; bomRef: string } {
  return { purl, bomRef: purl }
}
