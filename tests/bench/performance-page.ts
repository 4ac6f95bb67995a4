import { fileURLToPath } from 'node:url'
import { init } from 'echarts'
import { withTable } from '../tools/readme/write-tables.ts'
import { type Measured, ratioOf } from './comparison.ts'
import {
  footprintSentence,
  type machine,
  type Results,
  type RunOptions,
  sentenceOf,
  sideHeads,
  sideRows,
} from './report.ts'

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
const pictures = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))

/** Of comparisons that stand for many, in the order of the legend. */
const shownSides = ['service', 'service by latest', 'VersityGW', 'nginx', 'a bare relay']

/**
 * Writes what was measured on a store into `docs/performance.md`, between the marks of that store, and the picture next to
 * it.
 *
 * @throws {Error} if the page has no marks for the store.
 */
export async function writePerformancePage(
  options: RunOptions,
  { cores, cpu, loadAverage }: ReturnType<typeof machine>,
  { results, footprint }: Results,
): Promise<void> {
  const { store, rounds, seconds } = options
  const picture = `performance-${store}.svg`
  await Bun.write(`${pictures}${picture}`, drawn(results))
  const date = new Date().toISOString().slice(0, 10)
  const head = `${date}, ${cores} cores (${cpu}), load ${loadAverage.toFixed(1)} at the start; ${rounds} rounds of ${seconds} s: medians.`
  const ofProcess = footprint.map((row) => `- ${footprintSentence(row)}`).join('\n')
  const tables = [...results.map(markdown), ...(ofProcess ? [`### Footprint\n\n${ofProcess}`] : [])].join(
    '\n\n',
  )
  const content = `${head}\n\n![Rates of reads](pictures/${picture})\n\n${tables}`
  await Bun.write(page, withTable(await Bun.file(page).text(), store, content))
}

function markdown(result: Measured): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const heads = sideHeads(result)
  const lines = [line(heads), line(heads.map(() => '---')), ...sideRows(result).map(line)]
  const verdicts = result.verdicts.map((verdict) => `- ${sentenceOf(verdict)}`)
  return [
    `### ${result.title}`,
    lines.join('\n'),
    ...(verdicts.length > 0 ? [verdicts.join('\n')] : []),
  ].join('\n\n')
}

const pictureTitle = 'Rate relative to the store'

/** Returns bars of all reads as SVG: rates relative to the store's. */
function drawn(results: readonly Measured[]): string {
  const reads = results.filter(({ operation }) => operation === 'get')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 900, height: 380 })
  chart.setOption({
    animation: false,
    title: { text: pictureTitle, left: 'center' },
    legend: { top: 30 },
    grid: { top: 70, left: 50, right: 20, bottom: 30 },
    xAxis: { type: 'category', data: reads.map(({ title }) => title) },
    yAxis: { type: 'value', min: 0 },
    series: shownSides.map((name) => ({
      name,
      type: 'bar',
      data: reads.map(({ sides }) => {
        const side = sides.find(({ title }) => title === name)
        return side ? Number(ratioOf(side.rate, sides[0]?.rate ?? []).median.toFixed(3)) : null
      }),
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // For those who cannot see it; the library writes none.
  return `${svg.replace('>', `>\n<title>${pictureTitle}</title>`)}\n`
}
