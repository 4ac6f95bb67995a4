/** `bun run image`: packs the service's image without a registry, and writes its SBOM. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createCommand, exitCodes, runCommand } from '../../../service/cli/command.ts'
import { formatBytes, printJson, printLine } from '../../../service/cli/output.ts'
import { requireDocker } from '../../servers/docker-engine.ts'
import { packBunImage, packServiceImage, serviceImage } from './pack-image.ts'

const command = createCommand(
  'bun run image',
  "Packs the service into a Docker image from this machine's own files; no registry is needed.",
)
  .option('--tag <name>', 'name and tag of the image', serviceImage)
  .option('--sbom <file>', 'file to write the SBOM to', 'dist/documents.cdx.json')
  .option('--json', 'one JSON object instead of lines')

await runCommand<{ tag: string; sbom: string; json?: true }>(command, async (flags) => {
  await requireDocker()
  const { image, bytes, sbom } = await packServiceImage(flags.tag, process.env)
  await mkdir(dirname(flags.sbom), { recursive: true })
  await writeFile(flags.sbom, sbom)
  const bun = await packBunImage(process.env)
  const parts = (JSON.parse(sbom) as { components: unknown[] }).components.length
  if (flags.json) {
    await printJson({ image, bytes, sbom: flags.sbom, parts, bun })
    return exitCodes.done
  }
  const difference = `${formatBytes(Math.abs(bytes - bun.bytes))} ${bytes < bun.bytes ? 'less' : 'more'}`
  const base = `Bun alone on the same base (${bun.image}: ${formatBytes(bun.bytes)})`
  await printLine(`packed ${image}: ${formatBytes(bytes)}, ${difference} than ${base}`)
  await printLine(`wrote ${flags.sbom}: ${parts} parts`)
  return exitCodes.done
})
