import { rootCertificates } from 'node:tls'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { buildServer, findGo, isServerBuilt, ServerBuildError } from '../../servers/build-server.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { installPrometheus, isPrometheusInstalled } from '../../servers/prometheus.ts'
import { builtFrom } from '../../servers/server-recipe.ts'
import { findBusybox, type ImageContents, packImage, sharedLibraries } from '../pack-image.ts'

/** Services whose image holds a natively built server, which has the service's name. */
const builtServices = ['loki', 'tempo', 'otel-collector', 'toxiproxy'] as const
type BuiltService = (typeof builtServices)[number]

/** The services of the observability stack. */
export type ObservabilityService = BuiltService | 'prometheus' | 'grafana'

function isBuiltService(service: ObservabilityService): service is BuiltService {
  return builtServices.some((built) => built === service)
}

/** True if the content of the image is on this machine already: Linux, and the binary built or installed. */
export async function isPackable(service: ObservabilityService): Promise<boolean> {
  if (process.platform !== 'linux') return false
  if (service === 'prometheus') return isPrometheusInstalled()
  return isBuiltService(service) && isServerBuilt(service)
}

/** True if it can become {@link isPackable} here, by a build of some minutes or by installing a package. */
export function isObtainable(service: ObservabilityService): boolean {
  if (process.platform !== 'linux') return false
  return service === 'prometheus' || (isBuiltService(service) && findGo() !== null)
}

/** Returns a word that changes with everything that determines what {@link packObservabilityImage} packs. */
export async function madeFrom(service: ObservabilityService): Promise<string> {
  if (isBuiltService(service)) return builtFrom(service)
  return service === 'prometheus' && isPrometheusInstalled() ? `prometheus-${await installPrometheus()}` : ''
}

/**
 * Packs a natively built server (Prometheus: the installed one) into `image`, laid out like the published image of
 * that name: programs, data folders and the user are where the compose files expect them.
 *
 * @throws {ServerBuildError} if a build fails, or if the installed program has another version than the image.
 * @throws {CommandError} if tar or the engine fails, or if there is no static busybox to be had.
 */
export async function packObservabilityImage(
  service: ObservabilityService,
  image: { name: string; madeFrom: string },
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  if (service === 'grafana')
    throw new ServerBuildError('Grafana is in none of the registries to build it from')
  const program = await programOf(service, image.name, onProgress)
  onProgress(`packing ${image.name}`)
  await packImage(image.name, image.madeFrom, env, (work) => layouts[service](program, work))
}

async function programOf(
  service: Exclude<ObservabilityService, 'grafana'>,
  image: string,
  onProgress: OnProgress,
): Promise<string> {
  if (isBuiltService(service)) {
    return buildServer(service, { onProgress: (doing) => onProgress(`building ${service}: ${doing}`) })
  }
  const version = await installPrometheus(onProgress)
  if (image.endsWith(`:v${version}`)) return '/usr/bin/prometheus'
  throw new ServerBuildError(`${image} cannot be packed from the installed prometheus ${version}`)
}

/** The content of each service's image; `program` is the path of its program on this machine. */
const layouts: Record<
  Exclude<ObservabilityService, 'grafana'>,
  (program: string, work: string) => Promise<ImageContents>
> = {
  loki: async (program) => ({
    programs: { '/usr/bin/loki': program },
    files: { ...certificates, ...users },
    openFolders: ['/loki', '/tmp'],
    instructions: ['USER 10001', 'ENTRYPOINT ["/usr/bin/loki"]'],
  }),
  tempo: async (program, work) => ({
    programs: { '/tempo': program, '/busybox/busybox': await findBusybox(work) },
    files: { ...certificates, ...users },
    links: { '/busybox/wget': 'busybox' },
    openFolders: ['/var/tempo', '/tmp'],
    instructions: ['USER 10001:10001', 'ENTRYPOINT ["/tempo"]'],
  }),
  'otel-collector': async (program, work) => ({
    programs: { '/otelcol': program, '/bin/busybox': await findBusybox(work) },
    files: { ...certificates, ...users },
    openFolders: ['/tmp'],
    instructions: ['USER 10001', 'ENTRYPOINT ["/otelcol"]'],
  }),
  toxiproxy: async (program) => ({
    programs: { '/toxiproxy': program },
    openFolders: [],
    instructions: ['ENTRYPOINT ["/toxiproxy"]', 'CMD ["-host=0.0.0.0"]'],
  }),
  prometheus: async (program, work) => ({
    programs: {
      '/bin/prometheus': program,
      '/bin/promtool': '/usr/bin/promtool',
      '/bin/busybox': await findBusybox(work),
      // Unlike the published one, Debian's is not static.
      ...(await sharedLibraries(program)),
    },
    files: { ...certificates, ...users },
    links: { '/bin/wget': 'busybox' },
    openFolders: ['/prometheus', '/tmp'],
    instructions: ['USER 65534:65534', 'ENV PATH=/bin', 'ENTRYPOINT ["/bin/prometheus"]'],
  }),
}

/** For stores behind https. Not this machine's own list: an image must not depend on the machine that packs it. */
const certificates = { '/etc/ssl/certs/ca-certificates.crt': `${rootCertificates.join('\n')}\n` }

const users = {
  '/etc/passwd':
    'root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\nserver:x:10001:10001::/:/bin/false\n',
  '/etc/group': 'root:x:0:\nnobody:x:65534:\nserver:x:10001:\n',
}
