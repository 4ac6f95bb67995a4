import { describe, expect, it } from 'bun:test'
import { resolve } from 'node:path'
import { brokenImports, importCircles, readersOfTheWorld } from '../../../../tools/checks/import-rules.ts'
import { importsOf, packageOf, readSources } from '../../../../tools/checks/source-imports.ts'

const root = resolve(import.meta.dir, '../../../../..')

function broken(path: string, text: string): string[] {
  return brokenImports([{ path, text }])
}

describe('the dependency rule', () => {
  it('holds for every file of the service', async () => {
    const sources = await readSources(root, ['service'])
    expect(sources.length).toBeGreaterThan(40)
    expect(brokenImports(sources)).toEqual([])
    expect(readersOfTheWorld(sources)).toEqual([])
  })

  it('lets the S3 adapter import the AWS SDK, and no other file', () => {
    const text = "import { S3Client } from '@aws-sdk/client-s3'\n"
    expect(broken('service/object-store/s3/client.ts', text)).toEqual([])
    expect(broken('service/object-store/prefixed.ts', text)).toHaveLength(1)
    expect(broken('service/documents/put.ts', "import '@smithy/signature-v4'\n")).toHaveLength(1)
  })

  it('lets http import Elysia, and no other file, not even create-service', () => {
    const text = "import { Elysia } from 'elysia'\n"
    expect(broken('service/http/server.ts', text)).toEqual([])
    expect(broken('service/create-service.ts', text)).toHaveLength(1)
    expect(broken('service/cli/documents/documents.ts', text)).toHaveLength(1)
  })

  it('lets documents know the port of the object store, and neither adapters nor http', () => {
    const importing = (what: string) => broken('service/documents/put.ts', `import x from '${what}'\n`)
    expect(importing('../object-store/object-store.ts')).toEqual([])
    expect(importing('../object-store/s3/s3-object-store.ts')).toHaveLength(1)
    expect(importing('../http/range.ts')).not.toEqual([])
  })

  it('lets http reach documents, and the store only through them', () => {
    const importing = (what: string) => broken('service/http/routes.ts', `import type { X } from '${what}'\n`)
    expect(importing('../documents/documents.ts')).toEqual([])
    expect(importing('../authz/policy.ts')).toEqual([])
    expect(importing('../object-store/object-store.ts')).toHaveLength(1)
  })

  it('keeps authz alone with itself', () => {
    const importing = (what: string) => broken('service/authz/policy.ts', `import x from '${what}'\n`)
    expect(importing('./principal.ts')).toEqual([])
    expect(importing('../wire/names.ts')).toHaveLength(1)
    expect(importing('node:fs')).toHaveLength(1)
  })

  it('lets main import create-service and create-service import http, and nothing the other way round', () => {
    const root = 'service/create-service.ts'
    expect(broken('service/main.ts', "import { createService } from './create-service.ts'\n")).toEqual([])
    expect(broken('service/main.ts', "import { createDocuments } from './documents/a.ts'\n")).toHaveLength(1)
    expect(broken(root, "import { listen } from './http/server.ts'\n")).toEqual([])
    expect(broken('service/http/server.ts', `import x from '../create-service.ts'\n`)).not.toEqual([])
    expect(broken('service/cli/a.ts', `import x from '../create-service.ts'\n`)).toHaveLength(1)
    expect(broken('service/telemetry/logger.ts', "import '../main.ts'\n")).not.toEqual([])
    expect(broken('service/config/config.ts', "import '../http/server.ts'\n")).toHaveLength(1)
  })

  it('lets wire import nothing else of ours', () => {
    expect(broken('service/wire/answers.ts', "import type { Digest } from './names.ts'\n")).toEqual([])
    expect(broken('service/wire/answers.ts', "import { limits } from '../limits.ts'\n")).toHaveLength(1)
  })

  it('keeps a store in memory, commands and tests out of the service', () => {
    const importing = (what: string) => broken('service/main.ts', `import x from '${what}'\n`)
    expect(importing('../tests/support/stores/memory-object-store.ts')).not.toEqual([])
    expect(importing('./object-store/memory-object-store.ts')).not.toEqual([])
    expect(importing('./cli/scrub/scrub.ts')).not.toEqual([])
    expect(importing('./config/config.ts')).toEqual([])
  })

  it('sees imports however they are written, and none in comments', () => {
    const path = 'service/documents/put.ts'
    expect(broken(path, "export { x } from '../http/range.ts'\n")).not.toEqual([])
    expect(broken(path, "const x = await import('../http/range.ts')\n")).not.toEqual([])
    expect(broken(path, "import {\n  a,\n  b,\n} from '../http/range.ts'\n")).not.toEqual([])
    expect(broken(path, "// import x from '../http/range.ts'\n")).toEqual([])
    expect(broken(path, "/* import x from '../http/range.ts' */\n")).toEqual([])
  })

  it('lets main and commands read the environment, and no other file', () => {
    const reading = (path: string, text: string) => readersOfTheWorld([{ path, text }])
    expect(reading('service/main.ts', 'const port = Bun.env.PORT\n')).toEqual([])
    expect(reading('service/cli/token/token.ts', 'process.exit(1)\n')).toEqual([])
    expect(reading('service/http/server.ts', 'const port = process.env.PORT\n')).toHaveLength(1)
    expect(reading('service/config/config.ts', 'const all = Bun.env\n')).toHaveLength(1)
    expect(reading('service/config/config.ts', "import { env } from 'node:process'\n")).toHaveLength(1)
    expect(reading('service/config/config.ts', '// reads process.env\n')).toEqual([])
    expect(reading('service/ui/bundle.ts', "const define = { 'process.env.NODE_ENV': '1' }\n")).toEqual([])
  })

  it('lets others know the bundle of ui and nothing more of it, and ui the client and wire', () => {
    expect(
      broken('service/http/pages/ui-pages.ts', "import type { UiBundle } from '../../ui/bundle.ts'\n"),
    ).toEqual([])
    expect(broken('service/create-service.ts', "import { App } from './ui/app.tsx'\n")).toHaveLength(1)
    expect(broken('service/documents/put.ts', "import { bundleUi } from '../ui/bundle.ts'\n")).not.toEqual([])
    const importing = (what: string) => broken('service/ui/calls/a.ts', `import x from '${what}'\n`)
    expect(importing('../../client/client.ts')).toEqual([])
    expect(importing('../../wire/names.ts')).toEqual([])
    expect(importing('../../documents/publish.ts')).toHaveLength(1)
    expect(importing('../../http/pages/ui-pages.ts')).not.toEqual([])
  })
})

describe('importCircles', () => {
  const file = (path: string, what: string) => ({ path, text: `import type { X } from '${what}'\n` })

  it('finds none in this repository', async () => {
    const sources = await readSources(root, ['service', 'compose', 'observability'])
    expect(sources.length).toBeGreaterThan(200)
    expect(importCircles(sources)).toEqual([])
  })

  it('names the parts of a circle, however long it is', () => {
    expect(
      importCircles([
        file('service/http/a.ts', '../documents/b.ts'),
        file('service/documents/maintenance/b.ts', '../../telemetry/c.ts'),
        file('service/telemetry/c.ts', '../http/a.ts'),
      ]),
    ).toEqual([
      'service/http → service/documents → service/telemetry → service/http: parts import each other in a circle',
    ])
  })

  it('lets files of one part import each other, and several parts import one', () => {
    expect(
      importCircles([
        file('service/http/a.ts', './routes/b.ts'),
        file('service/http/routes/b.ts', '../a.ts'),
        file('service/documents/c.ts', '../limits.ts'),
        file('service/http/d.ts', '../limits.ts'),
      ]),
    ).toEqual([])
  })
})

describe('importsOf', () => {
  it('resolves relative paths against the file, and keeps packages and built-ins as written', () => {
    const text =
      "import { a } from '../limits.ts'\nimport type { B } from '@scope/pkg/part'\nimport 'node:fs'\n"
    expect(importsOf({ path: 'service/http/a.ts', text })).toEqual([
      'service/limits.ts',
      '@scope/pkg/part',
      'node:fs',
    ])
  })
})

describe('packageOf', () => {
  it('is the name without the part below it', () => {
    expect(packageOf('@scope/pkg/part')).toBe('@scope/pkg')
    expect(packageOf('jose')).toBe('jose')
    expect(packageOf('@sinclair/typebox/value')).toBe('@sinclair/typebox')
  })

  it('is null for our own files and for what the runtime brings', () => {
    expect(packageOf('service/limits.ts')).toBeNull()
    expect(packageOf('node:fs')).toBeNull()
    expect(packageOf('bun:test')).toBeNull()
    expect(packageOf('bun')).toBeNull()
  })
})
