import { YAML } from 'bun'
import type { SourceFile } from './source-imports.ts'

type Mapping = Record<string, unknown>

/**
 * What `docker stack deploy` reads and ignores (Docker CLI reference, "docker stack deploy"; what its loader calls
 * unsupported and deprecated), and `depends_on`, which it reads for nothing.
 */
const ignoredBySwarm = [
  ...[
    'build',
    'cgroup_parent',
    'container_name',
    'depends_on',
    'devices',
    'domainname',
    'expose',
    'external_links',
  ],
  ...['extends', 'ipc', 'links', 'mac_address', 'network_mode', 'pid', 'privileged', 'profiles', 'restart'],
  ...['security_opt', 'shm_size', 'tmpfs', 'userns_mode'],
]

/**
 * Returns what is wrong with a compose file, one line per problem: no YAML, an image without a fixed tag, a port that is
 * open to the network, a secret in the environment, a container with more rights than it needs. An overlay changes
 * services that are complete elsewhere, so only those with an image of their own have to be complete.
 *
 * A file with `x-stack` is deployed to a Swarm: it must contain nothing that a Swarm ignores, so it cannot forbid new
 * privileges (the engine's own setting does), and its services must limit their memory. Only there may a port be
 * published on the node.
 */
export function composeProblems({ path, text }: SourceFile): string[] {
  const file = parse(text)
  if (!isMapping(file)) return [`${path}: not a YAML mapping`]
  const services = isMapping(file.services) ? Object.entries(file.services) : []
  const forSwarm = file['x-stack'] !== undefined
  return services.flatMap(([name, service]) => {
    if (!isMapping(service)) return [`${path}: service ${name} is no mapping`]
    const problems = [
      ...imageProblems(service.image),
      ...portProblems(service.ports, forSwarm),
      ...secretProblems(service.environment),
      ...(forSwarm ? swarmProblems(service) : []),
      ...(service.image === undefined
        ? []
        : [...rightsProblems(service, forSwarm), ...upkeepProblems(service)]),
    ]
    return problems.map((problem) => `${path}: ${name}: ${problem}`)
  })
}

/** A fixed tag follows the last colon; of `${VARIABLE:-default}` the default counts. */
function imageProblems(image: unknown): string[] {
  if (image === undefined) return []
  const name = String(image).replace(/^\$\{\w+:-(.*)\}$/, '$1')
  const tag = /:([\w][\w.-]*)$/.exec(name)?.[1]
  return tag === undefined || tag === 'latest' ? [`image ${name} has no fixed tag`] : []
}

function portProblems(ports: unknown, forSwarm: boolean): string[] {
  const all: unknown[] = Array.isArray(ports) ? ports : []
  return all
    .filter((port) => !(forSwarm && isMapping(port) && port.mode === 'host'))
    .map((port) => (isMapping(port) ? JSON.stringify(port) : String(port)))
    .filter((port) => !port.startsWith('127.0.0.1:'))
    .map((port) => `port ${port} is open to the network`)
}

function swarmProblems(service: Mapping): string[] {
  const ignored = ignoredBySwarm.filter((name) => service[name] !== undefined)
  const resources = isMapping(service.deploy) ? service.deploy.resources : undefined
  const limited = isMapping(resources) && isMapping(resources.limits) && resources.limits.memory !== undefined
  return [
    ...ignored.map((name) => `a Swarm ignores ${name}`),
    ...(service.image === undefined || limited ? [] : ['its memory has no limit']),
  ]
}

/** `docker inspect` shows the environment to everyone with access to the engine: secrets are files. */
function secretProblems(environment: unknown): string[] {
  const entries = isMapping(environment) ? Object.keys(environment) : listOf(environment)
  const names = entries.map((entry) => entry.split('=')[0] ?? '')
  return names
    .filter(
      (name) => /SECRET|PASSWORD|PASSWD|TOKEN|ACCESS_KEY|CREDENTIAL/i.test(name) && !/_FILE$/.test(name),
    )
    .map((name) => `${name} in the environment looks like a secret`)
}

/** Rights that a container could do without (Docker documentation, "Security"). */
function rightsProblems(service: Mapping, forSwarm: boolean): string[] {
  const user = String(service.user ?? 'root').replace(/^\$\{\w+:-(.*)\}$/, '$1')
  return [
    ...(/^(root|0)(:|$)/.test(user) ? ['it runs as root'] : []),
    ...(service.read_only === true ? [] : ['its file system is not read-only']),
    ...(listOf(service.cap_drop).includes('ALL') ? [] : ['it keeps capabilities']),
    ...(forSwarm || listOf(service.security_opt).includes('no-new-privileges:true')
      ? []
      : ['it may gain privileges']),
  ]
}

/** What a service needs that runs for months; a one-shot (never restarted, or in a profile) needs less. */
function upkeepProblems(service: Mapping): string[] {
  const logging =
    isMapping(service.logging) && isMapping(service.logging.options) ? service.logging.options : {}
  const logs = logging['max-size'] === undefined ? ['the size of its log is not limited'] : []
  const oneShot = service.restart === 'no' || service.profiles !== undefined
  if (oneShot) return logs
  return [
    ...logs,
    ...(isMapping(service.healthcheck) ? [] : ['it has no health check']),
    ...(service.stop_grace_period === undefined ? ['it has no stop grace period'] : []),
  ]
}

function parse(text: string): unknown {
  try {
    return YAML.parse(text)
  } catch {
    return null
  }
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
