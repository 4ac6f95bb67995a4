import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./client-program.ts', import.meta.url))

export interface ProgramInput {
  url: string
  token: string
  tenant: string
  /** For programs that read one. */
  file?: string
}

/** The client and `client-program.ts` as one JavaScript module. @throws {AggregateError} if it cannot be bundled */
export function bundleFor(target: 'node' | 'browser'): Promise<string> {
  return bundleOf(program, target)
}

/** The same with another program. */
export async function bundleOf(program: string, target: 'node' | 'browser' | 'bun'): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [program], target })
  const [bundle] = outputs
  if (!bundle || outputs.length !== 1) throw new Error(`expected one bundle, got ${outputs.length}`)
  return bundle.text()
}

const withInput = 'globalThis.clientInput = JSON.parse(process.env.CLIENT_INPUT)'

/** Runs a bundle in Bun as it is. */
export function runInBun(bundle: string, input: ProgramInput): Promise<unknown> {
  return run(process.execPath, bundle, withInput, input)
}

/** Runs a bundle in Node as it is. */
export function runInNode(bundle: string, input: ProgramInput): Promise<unknown> {
  return run('node', bundle, withInput, input)
}

/** Runs a bundle in Node without what a browser does not have: no `process`, so no built-in modules. */
export function runWithoutProcess(bundle: string, input: ProgramInput): Promise<unknown> {
  return run('node', bundle, `${withInput}; delete globalThis.process`, input)
}

async function run(runtime: string, bundle: string, prelude: string, input: ProgramInput): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'client-runtimes-'))
  try {
    await Bun.write(join(folder, 'prelude.mjs'), prelude)
    await Bun.write(join(folder, 'program.mjs'), bundle)
    const child = Bun.spawn([runtime, '--import', './prelude.mjs', 'program.mjs'], {
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
    if (code !== 0) throw new Error(`the program ended with ${code}: ${err}`)
    return JSON.parse(out)
  } finally {
    await rm(folder, { recursive: true })
  }
}
