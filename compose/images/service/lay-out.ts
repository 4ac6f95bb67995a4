/** `bun compose/images/service/lay-out.ts <folder> <revision>`: the image's files in a folder, for its Dockerfile. */

import { makeTempFolder, removeTempFolder } from '../../../service/cli/temp-folder.ts'
import { layOut } from '../pack-image.ts'
import { serviceImageContents } from './pack-image.ts'

const [folder, revision = 'unknown'] = process.argv.slice(2)
if (folder === undefined) throw new Error('which folder?')
const work = await makeTempFolder('image')
try {
  const { instructions, ...contents } = await serviceImageContents(work, revision)
  await layOut(folder, contents)
} finally {
  await removeTempFolder(work)
}
