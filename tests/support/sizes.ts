/**
 * Returns how large a random test is in this run, and prints it: how many cases it tries, or for how many seconds it runs. The size is
 * that of `test`, that of `long` under `bun run test:long`, or the number that `TEST_SIZE` names. Only test files call this,
 * because `test:long` runs those that do.
 *
 * @param sizes the two sizes, and `of`: what there are so many of, for the line that is printed.
 * @throws {Error} if `TEST_SIZE` is something else.
 */
export function sizeOf({ of = 'cases', ...sizes }: { test: number; long: number; of?: string }): number {
  const asked = process.env.TEST_SIZE ?? 'test'
  if (asked !== 'test' && asked !== 'long' && !/^[1-9]\d{0,8}$/.test(asked))
    throw new Error(`TEST_SIZE is ${asked}: neither test, nor long, nor a positive number`)
  const size = asked === 'test' || asked === 'long' ? sizes[asked] : Number(asked)
  const long = size === sizes.long ? '' : ` (${count(sizes.long)} in test:long)`
  console.log(`size: ${count(size)} ${of}${long}`)
  return size
}

function count(size: number): string {
  return size.toLocaleString('en')
}
