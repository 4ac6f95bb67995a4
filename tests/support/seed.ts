import { relative, resolve } from 'node:path'

const root = resolve(import.meta.dir, '../..')
const seedMax = 2 ** 32
const seeds = new Map<string, number>()

/**
 * Returns the seed of a file's random tests, below 2^32, and prints it with the command that repeats the run: `TEST_SEED` if it
 * is set, otherwise a new one. The same file always gets the same one.
 *
 * @param file `import.meta` of the test file.
 * @throws {Error} if `TEST_SEED` is no such number.
 */
export function seedOf(file: { path: string }): number {
  const seed = seeds.get(file.path) ?? chosenSeed()
  if (!seeds.has(file.path)) console.log(`seed: ${seed}; to repeat it: ${replayOf(file, { seed })}`)
  seeds.set(file.path, seed)
  return seed
}

/** Returns the command that repeats a file with this seed, and with this size instead of that of the run if one is given. */
export function replayOf(file: { path: string }, { seed, size }: { seed: number; size?: number }): string {
  const { TEST_STORE, TEST_SIZE } = process.env
  const variables = { TEST_STORE, TEST_SIZE: size ?? TEST_SIZE, TEST_SEED: seed }
  const assignments = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  return [...assignments, 'bun test --timeout=0', `./${relative(root, file.path)}`].join(' ')
}

function chosenSeed(): number {
  const asked = process.env.TEST_SEED
  if (asked === undefined) return Math.floor(Math.random() * seedMax)
  if (!/^\d{1,10}$/.test(asked) || Number(asked) >= seedMax)
    throw new Error(`TEST_SEED is ${asked}, not a number from 0 to ${seedMax - 1}`)
  return Number(asked)
}

/** Random numbers that are the same for the same seed. */
export interface Random {
  /** Returns an integer from 0 to `max - 1`. */
  below(max: number): number
  /** Returns one of the items, all of them equally often. @throws {Error} if there is none */
  pick<T>(items: readonly T[]): T
  /** Returns whether an event of this probability, from 0 to 1, happens. */
  chance(probability: number): boolean
}

/** Creates random numbers from a seed, by mulberry32 (Tommy Ettinger, 2017). Neighbouring seeds give unrelated numbers. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / seedMax
  }
  const below = (max: number) => Math.floor(next() * max)
  return {
    below,
    pick(items) {
      if (items.length === 0) throw new Error('there is nothing to pick from')
      return items[below(items.length)] as (typeof items)[number]
    },
    chance: (probability) => next() < probability,
  }
}
