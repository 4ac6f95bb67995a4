/** `bun run image`: the service's image, packed without a registry, with its SBOM beside it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Command, CommanderError } from 'commander'
import { whyNoDocker } from '../../servers/docker-engine.ts'
import { packBunImage, packServiceImage, serviceImage } from './pack-image.ts'

const exitCodes = { usage: 2, missing: 3 } as const

const command = new Command('bun run image')
  .description(
    "Packs the service into a Docker image out of this machine's own files; a registry is not needed.",
  )
  .option('--tag <name>', 'name and tag of the image', serviceImage)
  .option('--sbom <file>', 'where the SBOM is written', 'dist/documents.cdx.json')
  .option('--json', 'one JSON object instead of lines')
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 packed, 1 failed, 2 wrong usage, 3 there is no Docker Engine.')

async function main(): Promise<number> {
  const flags = command.parse().opts<{ tag: string; sbom: string; json?: true }>()
  const whyNot = await whyNoDocker()
  if (whyNot !== null) {
    process.stderr.write(`no usable Docker Engine: ${whyNot}\n`)
    return exitCodes.missing
  }
  const { image, bytes, sbom } = await packServiceImage(flags.tag, process.env)
  await mkdir(dirname(flags.sbom), { recursive: true })
  await writeFile(flags.sbom, sbom)
  const bun = await packBunImage(process.env)
  const parts = (JSON.parse(sbom) as { components: unknown[] }).components.length
  const report = flags.json
    ? JSON.stringify({ image, bytes, sbom: flags.sbom, parts, bun })
    : `packed ${image}: ${mebibytes(bytes)}, ${difference(bytes - bun.bytes)} than Bun alone on the same base ` +
      `(${bun.image}: ${mebibytes(bun.bytes)})\nwrote ${flags.sbom}: ${parts} parts`
  process.stdout.write(`${report}\n`)
  return 0
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function difference(bytes: number): string {
  return `${mebibytes(Math.abs(bytes))} ${bytes < 0 ? 'less' : 'more'}`
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage
}
