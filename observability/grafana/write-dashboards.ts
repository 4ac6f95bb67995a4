/** Writes the dashboards as the JSON files that Grafana loads: `bun observability/grafana/write-dashboards.ts`. */
import { join, resolve } from 'node:path'
import { mustRun } from '../../compose/run-command.ts'
import { dashboards } from './dashboards.ts'

const root = resolve(import.meta.dir, '../..')
const folder = join(import.meta.dir, 'dashboards')

for (const dashboard of dashboards) {
  await Bun.write(join(folder, `${dashboard.uid}.json`), JSON.stringify(dashboard))
}
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
await mustRun([process.execPath, biome, 'format', '--write', folder], { cwd: root })
