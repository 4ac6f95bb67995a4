import { rootCertificates } from 'node:tls'
import type { DockerEnvironment } from '../docker-engine.ts'
import { findBusybox } from '../images/busybox.ts'
import { type ImageContents, packImage } from '../images/pack-image.ts'
import { sharedLibraries } from '../images/shared-libraries.ts'
import { runCommand } from '../run-command.ts'
import { buildServer, findGo, isServerBuilt } from '../servers/build-server.ts'
import type { OnProgress } from '../servers/progress.ts'
import type { ObservabilityService } from './images.ts'

/** Which of the natively built servers goes into the image of a service. */
const builtFor = {
  loki: 'loki',
  tempo: 'tempo',
  collector: 'otel-collector',
  toxiproxy: 'toxiproxy',
} as const

/** True if what goes into the image is on this machine already: Linux, and the binary built or installed. */
export async function isPackable(service: ObservabilityService, image: string): Promise<boolean> {
  if (process.platform !== 'linux' || service === 'grafana') return false
  if (service === 'prometheus') return image.endsWith(`:v${await installedPrometheus()}`)
  return isServerBuilt(builtFor[service])
}

/** True if it can be packed here after some minutes of building. */
export function isBuildable(service: ObservabilityService): boolean {
  return process.platform === 'linux' && service in builtFor && findGo() !== null
}

/**
 * Packs a natively built server (Prometheus: the installed one) into `image`, laid out as the published image of
 * that name is: programs, folders for data and the user are where the compose files expect them.
 *
 * @throws {ServerBuildError} if a build fails. @throws {CommandError} if tar or the engine fails, or if there is
 *   no static busybox to be had.
 */
export async function packObservabilityImage(
  service: ObservabilityService,
  image: string,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  if (service === 'grafana') throw new Error('Grafana is in none of the registries that packing rests on')
  const program = service === 'prometheus' ? '/usr/bin/prometheus' : await built(service, onProgress)
  onProgress(`packing ${image}`)
  await packImage(image, env, (work) => layouts[service](program, work))
}

function built(service: keyof typeof builtFor, onProgress: OnProgress): Promise<string> {
  const name = builtFor[service]
  return buildServer(name, { onProgress: (doing) => onProgress(`building ${name}: ${doing}`) })
}

/** By service: what is in its image, with its program at `program`. */
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
  collector: async (program, work) => ({
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

/** For stores behind https. Not this machine's own list: what is in an image does not depend on who packs it. */
const certificates = { '/etc/ssl/certs/ca-certificates.crt': `${rootCertificates.join('\n')}\n` }

const users = {
  '/etc/passwd':
    'root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\nserver:x:10001:10001::/:/bin/false\n',
  '/etc/group': 'root:x:0:\nnobody:x:65534:\nserver:x:10001:\n',
}

/** Version of the `prometheus` in the path, such as `2.42.0`; empty if there is none. */
async function installedPrometheus(): Promise<string> {
  const { stdout, stderr } = await runCommand(['prometheus', '--version'])
  return /version (\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1] ?? ''
}
