import { type Command, InvalidArgumentError, Option } from 'commander'
import { createCommand, UsageError } from '../../service/cli/command.ts'
import { integerIn } from '../../service/cli/values.ts'
import { type ServerName, serverNames } from './deployment.ts'

/** What the command line asks for. */
export interface Flags {
  all?: true
  json?: true
  junit?: string
  evidence?: string
  store?: 'minio' | 'ceph-rgw'
  tls?: true
  deploy: 'native' | 'compose'
  variant?: 's3-thanos' | 's3-classic'
  against?: Against
  tenant?: string
  wait?: number
}

/** Servers that run already, as origins. */
export interface Against {
  loki?: string
  tempo?: string
  /** A Collector before both. */
  otlp?: string
}

/** `servers`: those that were named; by default both, or with `--against` those that have a URL. */
export interface Request {
  servers: ServerName[]
  flags: Flags
}

/** Creates the command with its flags; {@link requestOf} reads them. */
export function validateCommand(): Command {
  return createCommand(
    'bun run validate',
    'Proves that logs and traces land under their prefixes in the object store, that they come back from there, ' +
      'and that nothing else is touched.',
  )
    .argument('[servers...]', 'loki, tempo, or both (the default)')
    .option('--all', 'also: an outage of the store, retention, deletion (minutes instead of seconds)')
    .option('--json', 'one JSON object instead of lines')
    .option('--junit <file>', 'also write a JUnit report')
    .option('--evidence <folder>', 'where to keep the evidence (default: .local/validate/<time>)')
    .addOption(
      new Option('--store <store>', 'the store to start if S3_ENDPOINT names none (default: minio)').choices([
        'minio',
        'ceph-rgw',
      ]),
    )
    .option('--tls', 'start that store with TLS and a private certificate authority')
    .addOption(
      new Option('--deploy <how>', 'run Loki and Tempo as processes, or in containers')
        .choices(['native', 'compose'])
        .default('native'),
    )
    .addOption(
      new Option(
        '--variant <variant>',
        'the S3 client of Loki (default: s3-thanos, or s3-classic for prefixes that only that client supports)',
      ).choices(['s3-thanos', 's3-classic']),
    )
    .option(
      '--against <urls>',
      'prove running servers: loki=<url>,tempo=<url>, and otlp=<url> for a Collector in front of them; can be repeated',
      parseAgainst,
    )
    .option('--tenant <name>', 'with --against: the tenant, if the servers have several', parseTenant)
    .option(
      '--wait <seconds>',
      'with --against: how long data may take to reach the bucket (default: 60)',
      integerIn(1, 99_999, 'a number of seconds'),
    )
    .addHelpText('after', helpText)
}

const helpText = `
Which store: the one that the S3_* variables name (docs/configuration.md; secrets also as ..._FILE), otherwise
one that is started for the run. Its prefixes have to be empty: a second Loki or Tempo would remove objects of the first.
With --against only the marker is written, over OTLP; the store is read.`

/**
 * Parses a command line.
 *
 * @throws {CommanderError} with what is wrong, already printed; its exit code is 0 for --help.
 * @throws {UsageError} for flags that do not go together.
 */
export function parseRequest(argv: readonly string[]): Request {
  return requestOf(validateCommand().parse(argv, { from: 'user' }))
}

/** Returns what a parsed command line asks for. @throws {UsageError} for flags that contradict each other */
export function requestOf(command: Command): Request {
  const flags = command.opts<Flags>()
  const servers = command.args.map((name) => {
    const server = serverNames.find((known) => known === name)
    if (server === undefined) throw new UsageError(`there is no ${name}: name ${serverNames.join(' or ')}`)
    return server
  })
  refuseContradictions(servers, flags)
  const { against } = flags
  const asked = serverNames.filter((name) => servers.length === 0 || servers.includes(name))
  return {
    flags,
    servers: against === undefined ? asked : asked.filter((name) => against[name] !== undefined),
  }
}

function refuseContradictions(servers: readonly ServerName[], flags: Flags): void {
  const { against, all, store, tls, deploy, tenant, wait } = flags
  if (against === undefined) {
    if (tenant !== undefined || wait !== undefined)
      throw new UsageError('--tenant and --wait go with --against')
    if (deploy === 'compose' && (store === 'ceph-rgw' || tls)) {
      throw new UsageError('--deploy compose brings its own MinIO: leave --store ceph-rgw and --tls out')
    }
    return
  }
  const lacking = servers.filter((name) => against[name] === undefined)
  if (lacking.length > 0) throw new UsageError(`--against has no URL of ${lacking.join(' and ')}`)
  if (against.loki === undefined && against.tempo === undefined) {
    throw new UsageError('--against needs loki=<url> or tempo=<url>')
  }
  if (all || store !== undefined || tls || deploy === 'compose') {
    throw new UsageError('--against starts nothing: leave --all, --store, --tls and --deploy out')
  }
}

function parseAgainst(text: string, before: Against = {}): Against {
  const result: Against = { ...before }
  for (const part of text.split(',')) {
    const [, name, url] = /^(loki|tempo|otlp)=(https?:\/\/[^\s/?#@]+)\/?$/.exec(part) ?? []
    if (url === undefined) {
      throw new InvalidArgumentError(
        `Give loki=, tempo= or otlp= and an origin such as http://127.0.0.1:3100.`,
      )
    }
    if (result[name as keyof Against] !== undefined)
      throw new InvalidArgumentError(`${name}= is given twice.`)
    result[name as keyof Against] = url
  }
  return result
}

/** Grafana's rules for tenant ids, without those that would be two folders. */
function parseTenant(text: string): string {
  if (/^[A-Za-z0-9!_.*'()-]{1,150}$/.test(text) && text !== '.' && text !== '..') return text
  throw new InvalidArgumentError("Give 1-150 of letters, digits and !-_.*'().")
}
