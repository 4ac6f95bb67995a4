/** `bun compose/service-image/lay-out.ts <folder> <revision>`: the image's files in a folder, for its Dockerfile. */
import { layOut } from '../images/pack-image.ts'
import { makeTempFolder, removeTempFolder } from '../servers/temp-folder.ts'
import { serviceImageContents } from './contents.ts'

const [folder, revision = 'unknown'] = process.argv.slice(2)
if (folder === undefined) throw new Error('which folder?')
const work = await makeTempFolder('image')
try {
  const { instructions, ...contents } = await serviceImageContents(work, revision)
  await layOut(folder, contents)
} finally {
  await removeTempFolder(work)
}
