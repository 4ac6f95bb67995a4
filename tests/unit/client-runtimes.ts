import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./client-program.ts', import.meta.url))

export interface ProgramInput {
  url: string
  token: string
  tenant: string
}

/** The client and `client-program.ts` as one JavaScript module. @throws {AggregateError} if it cannot be bundled */
export async function bundleFor(target: 'node' | 'browser'): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [program], target })
  const [bundle] = outputs
  if (!bundle || outputs.length !== 1) throw new Error(`expected one bundle, got ${outputs.length}`)
  return bundle.text()
}

/** Runs a bundle in Node as it is. */
export function runInNode(bundle: string, input: ProgramInput): Promise<unknown> {
  return run(bundle, 'globalThis.clientInput = JSON.parse(process.env.CLIENT_INPUT)', input)
}

/** Runs a bundle in Node without what a browser does not have: no `process`, so no built-in modules. */
export function runWithoutProcess(bundle: string, input: ProgramInput): Promise<unknown> {
  const prelude = 'globalThis.clientInput = JSON.parse(process.env.CLIENT_INPUT); delete globalThis.process'
  return run(bundle, prelude, input)
}

async function run(bundle: string, prelude: string, input: ProgramInput): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'client-runtimes-'))
  try {
    await Bun.write(join(folder, 'prelude.mjs'), prelude)
    await Bun.write(join(folder, 'program.mjs'), bundle)
    const child = Bun.spawn(['node', '--import', './prelude.mjs', 'program.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH, CLIENT_INPUT: JSON.stringify(input) },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    if (code !== 0) throw new Error(`node ended with ${code}: ${err}`)
    return JSON.parse(out)
  } finally {
    await rm(folder, { recursive: true })
  }
}
