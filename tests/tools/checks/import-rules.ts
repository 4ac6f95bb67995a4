import { importsOf, type SourceFile, withoutComments } from './source-imports.ts'

/** One sentence of the dependency rule, and what breaks it. */
export interface ImportRule {
  sentence: string
  /** Files that the rule speaks about. */
  holdsFor: (path: string) => boolean
  /** True for an import, as `importsOf` gives it, that the rule forbids. */
  forbids: (specifier: string) => boolean
}

const under = (folder: string) => (path: string) => path.startsWith(`${folder}/`)
const isOneOf =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path)
const isOurs = (specifier: string) => specifier.startsWith('service/')

/** Commands are programs of their own: they may use every part of the service, and no part may use them. */
const isService = (path: string) => under('service')(path) && !under('service/cli')(path)
const isS3Adapter = under('service/object-store/s3')

/** `folder` imports, of our own files, only its own and those allowed. */
function onlyImports(folder: string, allowed: string[], sentence: string): ImportRule {
  const own = under(folder)
  const isAllowed = (specifier: string) =>
    own(specifier) || allowed.some((place) => specifier === place || specifier.startsWith(`${place}/`))
  return { sentence, holdsFor: own, forbids: (specifier) => isOurs(specifier) && !isAllowed(specifier) }
}

/** The port: the store itself, its pages and bodies, signing of direct transfers, and what is known of the store. */
const ports = [
  'service/object-store/object-store.ts',
  'service/object-store/each-object.ts',
  'service/object-store/observed-object-store.ts',
  'service/object-store/tap.ts',
  'service/object-store/transfer-signer.ts',
  'service/object-store/store-capabilities.ts',
]
/** Builds the service; everything else of the service is built by it. */
const compositionRoot = 'service/create-service.ts'
const uiBundle = 'service/ui/bundle.ts'
const shared = ['bounded-body', 'fair-shares', 'limits', 'outbound'].map((name) => `service/${name}.ts`)

/** The dependency rule, sentence by sentence. */
export const importRules: ImportRule[] = [
  {
    sentence: 'service imports neither compose nor observability',
    holdsFor: under('service'),
    forbids: (specifier) => /^(compose|observability|tests)\//.test(specifier),
  },
  {
    sentence: 'compose does not import observability',
    holdsFor: under('compose'),
    forbids: (specifier) => /^(observability|tests)\//.test(specifier),
  },
  {
    sentence: 'observability does not import tests',
    holdsFor: under('observability'),
    forbids: under('tests'),
  },
  {
    sentence: 'only the S3 adapter imports the AWS SDK',
    holdsFor: (path) => isService(path) && !isS3Adapter(path),
    forbids: (specifier) => /^@(aws-sdk|smithy)\//.test(specifier),
  },
  {
    sentence: 'only http imports Elysia',
    holdsFor: (path) => under('service')(path) && !under('service/http')(path),
    forbids: (specifier) => /^(elysia|@elysiajs|@elysia)(\/|$)/.test(specifier),
  },
  {
    sentence: 'nothing but create-service imports http',
    holdsFor: (path) => isService(path) && !under('service/http')(path) && path !== compositionRoot,
    forbids: under('service/http'),
  },
  {
    sentence: 'nothing but main imports create-service, and nothing imports main',
    holdsFor: (path) => under('service')(path) && path !== 'service/main.ts',
    forbids: isOneOf(compositionRoot, 'service/main.ts'),
  },
  {
    sentence: 'main imports create-service, the health check, the configuration and the limits alone',
    holdsFor: isOneOf('service/main.ts'),
    forbids: (specifier) =>
      isOurs(specifier) &&
      !under('service/config')(specifier) &&
      !isOneOf(compositionRoot, 'service/health-check.ts', 'service/limits.ts')(specifier),
  },
  {
    sentence: 'of ui, others know the bundle alone',
    holdsFor: (path) => isService(path) && !under('service/ui')(path),
    forbids: (specifier) => under('service/ui')(specifier) && specifier !== uiBundle,
  },
  {
    sentence: 'nothing but create-service and http imports the bundle of ui',
    holdsFor: (path) => isService(path) && !/^service\/((http|ui)\/|create-service\.ts$)/.test(path),
    forbids: isOneOf(uiBundle),
  },
  {
    sentence: 'the service does not import its commands',
    holdsFor: isService,
    forbids: under('service/cli'),
  },
  {
    sentence: 'a store in memory is out of reach for the service',
    holdsFor: under('service'),
    forbids: (specifier) => /(^|\/)memory-[^/]*\.ts$/.test(specifier),
  },
  {
    sentence: 'authz decides alone: it imports nothing but itself',
    holdsFor: under('service/authz'),
    forbids: (specifier) => !under('service/authz')(specifier),
  },
  onlyImports('service/wire', [], 'wire is what server and client both say: it imports nothing else of ours'),
  onlyImports(
    'service/authn',
    ['service/authz', 'service/wire', ...shared],
    'authn knows principals and the form of a tenant, nothing else of ours',
  ),
  onlyImports(
    'service/documents',
    [...ports, 'service/wire', ...shared],
    'documents knows the ports of the object store only',
  ),
  onlyImports(
    'service/object-store',
    ['service/telemetry', 'service/wire', ...shared],
    'object-store knows nothing of documents',
  ),
  onlyImports('service/telemetry', shared, 'telemetry knows nothing of what it tells about'),
  onlyImports(
    'service/http',
    [
      'service/authn',
      'service/authz',
      'service/documents',
      'service/telemetry',
      'service/wire',
      uiBundle,
      ...shared,
    ],
    'http reaches the store through documents only',
  ),
  onlyImports(
    'service/client',
    ['service/wire'],
    'the client shares with the service what both say, and nothing else',
  ),
  onlyImports(
    'service/ui',
    ['service/client', 'service/wire'],
    'the UI reaches the service through the client only',
  ),
]

/** Every import that breaks a rule, as `file imports what: sentence`. */
export function brokenImports(files: SourceFile[]): string[] {
  return files.flatMap((file) =>
    importRules
      .filter((rule) => rule.holdsFor(file.path))
      .flatMap((rule) =>
        importsOf(file)
          .filter(rule.forbids)
          .map((specifier) => `${file.path} imports ${specifier}: ${rule.sentence}`),
      ),
  )
}

/** Every service file but main and the commands that reads the environment or the process. */
export function readersOfTheWorld(files: SourceFile[]): string[] {
  return files
    .filter(({ path }) => isService(path) && path !== 'service/main.ts')
    .filter((file) => readsTheWorld(file))
    .map(({ path }) => `${path}: only main and commands read the process or its environment`)
}

/** `globalThis.process` and destructuring ask whether there is one; that is how the client tells runtimes apart. */
function readsTheWorld(file: SourceFile): boolean {
  const code = withoutComments(file.text)
  // In quotes it is a name for the bundler to replace.
  const reads = /(?<![.\w?'])process\s*(\.|\[)|\bBun\.env\b|\bimport\.meta\.env\b/.test(code)
  return reads || importsOf(file).some((specifier) => /^(node:)?process$/.test(specifier))
}

/** Production code: the three folders whose parts must not depend on each other in a circle. */
const isProduction = (path: string) => /^(service|compose|observability)\//.test(path)

/** The part that a file belongs to: the folder below the top level, or the file itself where it stands alone there. */
function partOf(path: string): string {
  const [top = '', second = '', third] = path.split('/')
  return third === undefined ? path : `${top}/${second}`
}

/**
 * Circles of imports between parts (`service/http`, `compose/stacks`, …), types included.
 *
 * @returns one line per circle that names its parts in order, empty where imports point one way.
 */
export function importCircles(files: SourceFile[]): string[] {
  const edges = new Map<string, Set<string>>()
  for (const file of files.filter(({ path }) => isProduction(path))) {
    const from = partOf(file.path)
    const to = edges.get(from) ?? new Set<string>()
    for (const specifier of importsOf(file)) {
      if (isProduction(specifier) && partOf(specifier) !== from) to.add(partOf(specifier))
    }
    edges.set(from, to)
  }
  return circlesIn(edges)
}

function circlesIn(edges: Map<string, Set<string>>): string[] {
  const finished = new Set<string>()
  const circles: string[] = []
  const visit = (part: string, path: string[]) => {
    if (finished.has(part)) return
    const at = path.indexOf(part)
    if (at !== -1) {
      circles.push(`${[...path.slice(at), part].join(' → ')}: parts import each other in a circle`)
      return
    }
    for (const next of edges.get(part) ?? []) visit(next, [...path, part])
    finished.add(part)
  }
  for (const part of edges.keys()) visit(part, [])
  return circles
}
