import { expect, it } from 'bun:test'
import { join, resolve } from 'node:path'
import { runCommand } from '../../../../compose/run-command.ts'
import { folderForTests } from '../../../support/folder.ts'
import { randomOf } from '../../../support/seed.ts'

const support = resolve(import.meta.dir, '../../../support')

/** Runs a random test, as a file of its own, and returns what it printed. */
async function randomRun(env: Record<string, string>): Promise<string> {
  const folder = await folderForTests('random-run-')
  const file = join(folder, 'random.test.ts')
  await Bun.write(
    file,
    `import { it } from 'bun:test'
    const { sizeOf } = await import(${JSON.stringify(join(support, 'sizes.ts'))})
    const { randomOf, seedOf } = await import(${JSON.stringify(join(support, 'seed.ts'))})
    it('draws', () => {
      const { below } = randomOf(seedOf(import.meta))
      if (seedOf(import.meta) !== seedOf(import.meta)) throw new Error('two seeds')
      console.log('drew:', Array.from({ length: sizeOf({ test: 3, long: 5, of: 'draws' }) }, () => below(1000)).join())
    })`,
  )
  const { TEST_SEED, TEST_SIZE, ...surroundings } = process.env
  const { stdout, stderr } = await runCommand([process.execPath, 'test', file], {
    env: { ...surroundings, ...env },
  })
  return `${stdout}${stderr}`
}

const line = (printed: string, beginning: string) =>
  printed.split('\n').filter((line) => line.startsWith(`${beginning}: `))

it('A random test prints its seed once, and the command with that seed draws the same', async () => {
  const first = await randomRun({})
  const [seed, ...more] = line(first, 'seed')
  expect(more).toEqual([])
  const assigned = /TEST_SEED=(\d+) bun test --timeout=0 \.\/\S*random\.test\.ts$/.exec(seed ?? '')?.[1] ?? ''
  const second = await randomRun({ TEST_SEED: assigned })
  expect(line(second, 'drew')).toEqual(line(first, 'drew'))
  expect(line(await randomRun({}), 'drew')).not.toEqual(line(first, 'drew'))
})

it('A random test is small by default, large in test:long, and as large as TEST_SIZE says', async () => {
  expect(line(await randomRun({}), 'size')).toEqual(['size: 3 draws (5 in test:long)'])
  const long = await randomRun({ TEST_SIZE: 'long' })
  expect(line(long, 'size')).toEqual(['size: 5 draws'])
  expect(line(long, 'seed')[0]).toContain('TEST_SIZE=long TEST_SEED=')
  expect(line(await randomRun({ TEST_SIZE: '1' }), 'drew')[0]).toMatch(/^drew: \d+$/)
})

it('A random test refuses a seed or a size that is no number', async () => {
  expect(await randomRun({ TEST_SEED: '4294967296' })).toContain('TEST_SEED is 4294967296, not a number')
  expect(await randomRun({ TEST_SIZE: 'huge' })).toContain('TEST_SIZE is huge: neither test, nor long')
})

it('Random numbers of neighbouring seeds are spread evenly over their range', () => {
  const counts = new Array(10).fill(0)
  for (let seed = 0; seed < 10_000; seed++) counts[randomOf(seed).below(10)]++
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
})
